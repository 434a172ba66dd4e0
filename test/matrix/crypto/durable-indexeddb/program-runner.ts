import { IDBKeyRange } from 'fake-indexeddb';
import { done, ended, open } from './indexeddb-steps.ts';
import { type Change, INDEXES, type Range, type Request, type Row, STORES, type Step } from './random-program.ts';

/** What a program said: every result, every error's name, every end of a transaction, in order. */
export type Said = unknown[];

/** Runs steps on one IndexedDB; holds the connection, the version, and what was said. */
export class ProgramRunner {
  readonly said: Said = [];
  readonly #restart: () => Promise<IDBFactory>;
  #factory: IDBFactory;
  #version = 1;

  constructor(factory: IDBFactory, restart: () => Promise<IDBFactory>) {
    this.#factory = factory;
    this.#restart = restart;
  }

  async run(steps: readonly Step[]): Promise<Said> {
    let db = await open(this.#factory, 'x', 1, (made) => {
      const rows = made.createObjectStore('rows', { keyPath: 'id' });
      for (const index of INDEXES) createIndex(rows, index);
      made.createObjectStore('loose');
    });
    for (const step of steps) {
      if (step.kind === 'transaction') await this.#transaction(db, step);
      else {
        db.close();
        db = step.kind === 'upgrade' ? await this.#upgrade(step) : await this.#restarted();
      }
      await this.#sayAll(db);
    }
    db.close();
    return this.said;
  }

  async #restarted(): Promise<IDBDatabase> {
    this.#factory = await this.#restart();
    return open(this.#factory, 'x');
  }

  async #upgrade({ changes, abort }: Extract<Step, { kind: 'upgrade' }>): Promise<IDBDatabase> {
    const attempt = open(this.#factory, 'x', this.#version + 1, (db, transaction) => {
      for (const change of changes) this.#attempt(() => applyChange(db, transaction, change));
      if (abort) transaction.abort();
    });
    try {
      const db = await attempt;
      this.#version = db.version;
      return db;
    } catch (error) {
      this.said.push((error as Error).name);
      return open(this.#factory, 'x');
    }
  }

  async #transaction(db: IDBDatabase, step: Extract<Step, { kind: 'transaction' }>): Promise<void> {
    const names = [...db.objectStoreNames];
    if (names.length === 0) return;
    const transaction = db.transaction(names, 'readwrite');
    const end = ended(transaction);
    for (const request of step.requests) this.#attempt(() => this.#ask(transaction, request, step.keep));
    if (step.abort) this.#attempt(() => transaction.abort());
    this.said.push(await end);
  }

  #attempt(what: () => void): void {
    try {
      what();
    } catch (error) {
      this.said.push((error as Error).name);
    }
  }

  #ask(transaction: IDBTransaction, request: Request, keep: boolean): void {
    const store = transaction.objectStore('store' in request ? request.store : 'rows');
    const listen = (asked: IDBRequest): void => {
      asked.onsuccess = () => this.said.push(asked.result);
      asked.onerror = (event) => {
        this.said.push(asked.error?.name);
        if (keep) event.preventDefault();
      };
    };
    if (request.kind === 'put' || request.kind === 'add') {
      // A generator gets no key of ours: fake-indexeddb does not take it back when the transaction aborts; we do.
      const isOutOfLine = store.keyPath === null && !store.autoIncrement;
      listen(store[request.kind](withoutUndefined(request.value), isOutOfLine ? request.key : undefined));
    } else if (request.kind === 'delete') listen(store.delete(rangeOf(request.range) ?? IDBKeyRange.lowerBound(11)));
    else if (request.kind === 'clear') listen(store.clear());
    else if (request.kind === 'cursor') this.#walk(store, request);
    else if (request.kind === 'index')
      for (const asked of reads(store.index(request.index), request.range)) listen(asked);
    else if (request.kind === 'read') for (const asked of reads(store, request.range)) listen(asked);
  }

  #walk(store: IDBObjectStore, request: Extract<Request, { kind: 'cursor' }>): void {
    const source = request.index === null ? store : store.index(request.index);
    const asked = source.openCursor(rangeOf(request.range), request.direction);
    let steps = 0;
    asked.onsuccess = () => {
      const cursor = asked.result;
      this.said.push(cursor === null ? null : [cursor.key, cursor.primaryKey, cursor.value]);
      if (cursor === null || steps > 30) return;
      steps += 1;
      const value = { ...cursor.value, seen: steps };
      if (request.change === 'update') cursor.update(value);
      if (request.change === 'delete') cursor.delete();
      if (steps % 4 === 0) cursor.advance(2);
      else cursor.continue();
    };
  }

  async #sayAll(db: IDBDatabase): Promise<void> {
    this.said.push([db.version, ...db.objectStoreNames]);
    for (const name of db.objectStoreNames) {
      const store = db.transaction(name).objectStore(name);
      const sources = [store, ...[...store.indexNames].map((index) => store.index(index))];
      const asked = sources.flatMap((source) => [source.getAllKeys(), source.getAll(), source.count()]);
      this.said.push(name, [...store.indexNames], await Promise.all(asked.map((one: IDBRequest) => done(one))));
    }
  }
}

function reads(source: IDBObjectStore | IDBIndex, range: Range): readonly IDBRequest[] {
  const wanted = rangeOf(range) ?? undefined;
  const all = [source.getAll(wanted), source.getAllKeys(wanted, 3), source.count(wanted)];
  return wanted === undefined ? all : [...all, source.get(wanted), source.getKey(wanted)];
}

function rangeOf([kind, a, b, isOpen]: Range): IDBKeyRange | null {
  if (kind === 'all') return null;
  if (kind === 'only') return IDBKeyRange.only(a);
  if (kind === 'from') return IDBKeyRange.lowerBound(a, isOpen);
  if (kind === 'to') return IDBKeyRange.upperBound(a, isOpen);
  return IDBKeyRange.bound(a, b, isOpen, !isOpen);
}

function withoutUndefined(row: Row): object {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== undefined));
}

function createIndex(store: IDBObjectStore, name: string): void {
  if (name === 'pair') store.createIndex(name, ['group', 'name']);
  else store.createIndex(name, name, { unique: name === 'name', multiEntry: name === 'tags' });
}

function applyChange(db: IDBDatabase, transaction: IDBTransaction, change: Change): void {
  if (change.kind === 'drop') db.deleteObjectStore(change.store);
  else if (change.kind === 'create') {
    const made = db.createObjectStore(change.store, { autoIncrement: true });
    made.put({ name: 'made', group: STORES.length, tags: [] });
  } else if (change.kind === 'rename') transaction.objectStore(change.store).name = change.to;
  else if (change.kind === 'index') createIndex(transaction.objectStore(change.store), change.index);
  else transaction.objectStore(change.store).deleteIndex(change.index);
}
