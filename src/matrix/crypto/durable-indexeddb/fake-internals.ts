import type { StoredKey } from './key-codec.ts';

/**
 * The parts of fake-indexeddb 6 we hook into; none of them is public, so the version is pinned and `rawDatabaseOf` and
 * `rawStoreOf` refuse anything that looks different. Why not the public surface: only down here do cursors, key ranges, key
 * generators and failed requests end in three methods, and only here is the committed state to be read back.
 */
export interface RawRecord {
  key: StoredKey | undefined;
  readonly value: unknown;
}

/** Undo steps of a transaction, run last to first by an abort; its identity tells which transaction an operation is of. */
export type RollbackLog = (() => void)[];

/** A balanced search tree; `_rebuild` makes one of sorted records, as fake-indexeddb does after many deletions. */
export interface RawTree {
  _root: unknown;
  _numNodes: number;
  _rebuild(sorted: readonly RawRecord[], parent: undefined, red: boolean): unknown;
}

export interface RawRecords {
  readonly records: RawTree;
  get(key: unknown): RawRecord | undefined;
  values(range?: unknown): Iterable<RawRecord>;
}

export interface RawIndex {
  readonly name: string;
  readonly keyPath: string | readonly string[];
  readonly multiEntry: boolean;
  readonly unique: boolean;
  readonly records: RawRecords;
  /** One key, or for a multiEntry index of a list the keys; undefined when the record is not in the index. */
  getIndexKey(value: unknown): StoredKey | undefined;
}

export interface RawStore {
  readonly name: string;
  readonly keyPath: string | readonly string[] | null;
  readonly autoIncrement: boolean;
  /** `num` is the last key given out. */
  readonly keyGenerator: { num: number } | null;
  readonly records: RawRecords;
  readonly rawIndexes: ReadonlyMap<string, RawIndex>;
  storeRecord(record: RawRecord, noOverwrite: boolean, rollbackLog?: RollbackLog): StoredKey;
  deleteRecord(keyOrRange: unknown, rollbackLog?: RollbackLog): void;
  clear(rollbackLog?: RollbackLog): void;
}

export interface RawDatabase {
  readonly name: string;
  readonly version: number;
  readonly rawObjectStores: ReadonlyMap<string, RawStore>;
  readonly connections: readonly IDBDatabase[];
}

/** What a transaction has beyond IDBTransaction. */
export interface RawTransaction {
  readonly _rollbackLog: RollbackLog;
  /** Undoes, sets `error`, and fires `abort` in a later task. */
  _abort(errorName: string | null): void;
  dispatchEvent(event: Event): boolean;
}

export function rawDatabaseOf(connection: IDBDatabase): RawDatabase {
  const raw = field(connection, '_rawDatabase');
  if (!(field(raw, 'rawObjectStores') instanceof Map)) throw unknownInternals();
  return raw as RawDatabase;
}

export function rawStoreOf(store: IDBObjectStore): RawStore {
  const raw = field(store, '_rawObjectStore');
  const methods = ['storeRecord', 'deleteRecord', 'clear'].map((name) => field(raw, name));
  if (methods.some((method) => typeof method !== 'function') || !(field(raw, 'rawIndexes') instanceof Map)) {
    throw unknownInternals();
  }
  return raw as RawStore;
}

/** @returns the store when a bulk load can build its trees */
export function checkedTrees(store: RawStore): RawStore {
  const indexes = [...store.rawIndexes.values()];
  const trees = [store.records, ...indexes.map((index) => index.records)].map((one) => one.records);
  if (trees.some((tree) => typeof tree._rebuild !== 'function' || typeof tree._numNodes !== 'number')) {
    throw unknownInternals();
  }
  if (indexes.some((index) => typeof index.getIndexKey !== 'function')) {
    throw unknownInternals();
  }
  return store;
}

export function rawTransactionOf(transaction: IDBTransaction): RawTransaction {
  if (!Array.isArray(field(transaction, '_rollbackLog')) || typeof field(transaction, '_abort') !== 'function') {
    throw unknownInternals();
  }
  return transaction as unknown as RawTransaction;
}

function field(of: unknown, name: string): unknown {
  return typeof of === 'object' && of !== null ? (of as Record<string, unknown>)[name] : undefined;
}

function unknownInternals(): Error {
  return new Error('this version of fake-indexeddb is not built as the durable store expects; use the pinned one');
}
