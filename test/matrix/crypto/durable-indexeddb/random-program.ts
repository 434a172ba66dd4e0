import fc from 'fast-check';

/** Steps that are run on the durable store and on fake-indexeddb in memory; what they say must be the same. */
export type Step =
  | {
      readonly kind: 'transaction';
      readonly requests: readonly Request[];
      readonly abort: boolean;
      readonly keep: boolean;
    }
  | { readonly kind: 'upgrade'; readonly changes: readonly Change[]; readonly abort: boolean }
  | { readonly kind: 'restart' };

export type Range = readonly [
  kind: 'only' | 'from' | 'to' | 'between' | 'all',
  a: IDBValidKey,
  b: IDBValidKey,
  open: boolean,
];

export type Request =
  | {
      readonly kind: 'put' | 'add';
      readonly store: string;
      readonly value: Row;
      readonly key?: IDBValidKey | undefined;
    }
  | { readonly kind: 'delete'; readonly store: string; readonly range: Range }
  | { readonly kind: 'read'; readonly store: string; readonly range: Range }
  | { readonly kind: 'clear'; readonly store: string }
  | { readonly kind: 'index'; readonly index: string; readonly range: Range }
  | {
      readonly kind: 'cursor';
      readonly store: string;
      readonly index: string | null;
      readonly range: Range;
      readonly direction: IDBCursorDirection;
      readonly change: 'update' | 'delete' | 'none';
    };

export type Change =
  | { readonly kind: 'create'; readonly store: string }
  | { readonly kind: 'drop'; readonly store: string }
  | { readonly kind: 'rename'; readonly store: string; readonly to: string }
  | { readonly kind: 'index'; readonly store: string; readonly index: string }
  | { readonly kind: 'unindex'; readonly store: string; readonly index: string };

export interface Row {
  readonly id?: number | undefined;
  readonly name: IDBValidKey | undefined;
  readonly group: number;
  readonly tags: readonly IDBValidKey[];
}

export const STORES = ['rows', 'loose', 'more'] as const;
export const INDEXES = ['name', 'group', 'tags', 'pair'] as const;

const number = fc.integer({ min: -2, max: 12 });
const anyKey: fc.Arbitrary<IDBValidKey> = fc.oneof(
  { weight: 5, arbitrary: number },
  { weight: 3, arbitrary: fc.constantFrom('', 'a', 'ab', 'b', '\u0000', '\ud800', 'é') },
  fc.constantFrom<IDBValidKey>(new Date(0), new Date(5), 0.5, Number.NEGATIVE_INFINITY),
  fc.uint8Array({ maxLength: 2 }).map((bytes) => Uint8Array.from(bytes).buffer),
  fc.array(number, { maxLength: 2 }),
);
const range: fc.Arbitrary<Range> = fc.tuple(
  fc.constantFrom('only', 'from', 'to', 'between', 'all'),
  anyKey,
  anyKey,
  fc.boolean(),
);
const row: fc.Arbitrary<Row> = fc.record({
  id: fc.option(number, { nil: undefined, freq: 3 }),
  name: fc.option(anyKey, { nil: undefined }),
  group: fc.integer({ min: 0, max: 2 }),
  tags: fc.array(anyKey, { maxLength: 3 }),
});
const store = fc.constantFrom(...STORES);
const index = fc.constantFrom(...INDEXES);

const request: fc.Arbitrary<Request> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constantFrom('put', 'add'),
      store,
      value: row,
      key: fc.option(anyKey, { nil: undefined }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('delete', 'read'), store, range }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('clear'), store }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('index'), index, range }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('cursor'),
      store,
      index: fc.option(index),
      range,
      direction: fc.constantFrom<IDBCursorDirection[]>('next', 'nextunique', 'prev', 'prevunique'),
      change: fc.constantFrom('update', 'delete', 'none'),
    }),
  },
);

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ kind: fc.constantFrom('create', 'drop'), store }),
  fc.record({ kind: fc.constant('rename'), store, to: store }),
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('index', 'unindex'), store, index }) },
);

const seldom = fc.integer({ min: 0, max: 5 }).map((draw) => draw === 0);

export const randomProgram: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('transaction'),
        requests: fc.array(request, { minLength: 1, maxLength: 12 }),
        abort: seldom,
        keep: fc.boolean(),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('upgrade'),
        changes: fc.array(change, { minLength: 1, maxLength: 4 }),
        abort: seldom,
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('restart') }) },
  ),
  { minLength: 4, maxLength: 14 },
);
