import fc from 'fast-check';

/** What a random transaction does; keys are few so that operations meet. */
export type Operation =
  | { readonly kind: 'put'; readonly key: number | string; readonly value: string }
  | { readonly kind: 'add'; readonly key: number | string; readonly value: string }
  | { readonly kind: 'generate'; readonly value: string }
  | { readonly kind: 'delete'; readonly key: number | string }
  | { readonly kind: 'range'; readonly from: number; readonly to: number }
  | { readonly kind: 'cursor'; readonly every: number }
  | { readonly kind: 'clear' };

export interface RandomTransaction {
  readonly operations: readonly Operation[];
  /** The caller takes it back at the end. */
  readonly abort: boolean;
}

const key = fc.oneof(fc.integer({ min: -5, max: 25 }), fc.constantFrom('a', 'b', 'c', 'd'));
const value = fc.string({ maxLength: 300 });

const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('put' as const), key, value }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('add' as const), key, value }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('generate' as const), value }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('delete' as const), key }) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.integer({ min: -5, max: 25 }), fc.integer({ min: 0, max: 8 }))
      .map(([from, size]) => ({ kind: 'range' as const, from, to: from + size })),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('cursor' as const), every: fc.integer({ min: 2, max: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('clear' as const) }) },
);

export const randomTransactions: fc.Arbitrary<readonly RandomTransaction[]> = fc.array(
  fc.record({
    operations: fc.array(operation, { minLength: 1, maxLength: 8 }),
    abort: fc.integer({ min: 0, max: 5 }).map((draw) => draw === 0),
  }),
  { minLength: 60, maxLength: 60 },
);

/** Independent of the code under test: what one generating object store should hold. */
export interface Model {
  readonly records: ReadonlyMap<number | string, string>;
  /** Last number given out or chosen. */
  readonly generator: number;
}

export const EMPTY_MODEL: Model = { records: new Map(), generator: 0 };

/** The model after a transaction; the same model when it aborts. */
export function applyToModel(model: Model, { operations, abort }: RandomTransaction): Model {
  if (abort) return model;
  const records = new Map(model.records);
  let { generator } = model;
  for (const step of operations) {
    if (step.kind === 'put' || step.kind === 'add') {
      if (typeof step.key === 'number' && step.key > generator) generator = step.key;
      if (step.kind === 'add' && records.has(step.key)) return model;
      records.set(step.key, step.value);
    } else if (step.kind === 'generate') {
      generator += 1;
      records.set(generator, step.value);
    } else if (step.kind === 'delete') records.delete(step.key);
    else if (step.kind === 'clear') records.clear();
    else if (step.kind === 'range') {
      for (const at of records.keys()) {
        if (typeof at === 'number' && at >= step.from && at <= step.to) records.delete(at);
      }
    } else {
      for (const [at, [name, text]] of sorted(records).entries()) {
        if (at % step.every === 0) records.delete(name);
        else records.set(name, `${text.slice(0, 300)}~`);
      }
    }
  }
  return { records, generator };
}

/** In IndexedDB order: numbers, then strings. */
export function sorted(records: ReadonlyMap<number | string, string>): [number | string, string][] {
  return [...records].sort(([a], [b]) => {
    if (typeof a !== typeof b) return typeof a === 'number' ? -1 : 1;
    return a < b ? -1 : 1;
  });
}

/** The object store that the transactions are over: it has an index of its values. */
export function makeStore(db: IDBDatabase): void {
  db.createObjectStore('s', { autoIncrement: true }).createIndex('by value', '');
}

/** The same through IndexedDB; resolves when the transaction has completed or aborted. */
export function applyToStore(db: IDBDatabase, range: typeof IDBKeyRange, todo: RandomTransaction): Promise<void> {
  const transaction = db.transaction('s', 'readwrite');
  const store = transaction.objectStore('s');
  const steps = [...todo.operations];
  const next = (): void => {
    const step = steps.shift();
    if (step !== undefined) run(store, range, step, next);
    else if (todo.abort) transaction.abort();
  };
  next();
  return new Promise((resolve) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => resolve();
  });
}

function run(store: IDBObjectStore, range: typeof IDBKeyRange, step: Operation, next: () => void): void {
  if (step.kind === 'put') store.put(step.value, step.key).onsuccess = next;
  else if (step.kind === 'add') store.add(step.value, step.key).onsuccess = next;
  else if (step.kind === 'generate') store.add(step.value).onsuccess = next;
  else if (step.kind === 'delete') store.delete(step.key).onsuccess = next;
  else if (step.kind === 'range') store.delete(range.bound(step.from, step.to)).onsuccess = next;
  else if (step.kind === 'clear') store.clear().onsuccess = next;
  else runCursor(store.openCursor(), step.every, next);
}

function runCursor(request: IDBRequest<IDBCursorWithValue | null>, every: number, next: () => void): void {
  let at = 0;
  request.onsuccess = () => {
    const cursor = request.result;
    if (cursor === null) return next();
    if (at % every === 0) cursor.delete();
    else cursor.update(`${String(cursor.value).slice(0, 300)}~`);
    at += 1;
    cursor.continue();
  };
}
