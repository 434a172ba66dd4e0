import type { StoredKey } from './key-codec.ts';
import type { KeyPath } from './saved-data.ts';

/**
 * The parts of fake-indexeddb 6 we hook into; none of them is public, so the version is pinned and the functions below
 * refuse anything that looks different. Why not the public surface: only down here do cursors, key ranges, key generators and
 * failed requests end in the few methods of `RawRecords`, which we replace.
 */
export interface RawRecord {
  key: StoredKey | undefined;
  /** Of an index: the key of the record it points at. */
  readonly value: unknown;
}

export type Direction = 'next' | 'nextunique' | 'prev' | 'prevunique';

/** What an object store and an index keep their records in; sorted by key, in an index then by value. */
export interface RawRecords {
  get(keyOrRange: unknown): RawRecord | undefined;
  put(record: RawRecord, noOverwrite?: boolean): RawRecord | undefined;
  delete(keyOrRange: unknown): readonly RawRecord[];
  deleteByKeyAndValue(key: StoredKey, value: unknown): void;
  clear(): readonly RawRecord[];
  values(range?: unknown, direction?: Direction): Iterable<RawRecord>;
  size(): number;
}

export interface RawIndex {
  readonly name: string;
  readonly keyPath: KeyPath;
  readonly multiEntry: boolean;
  readonly unique: boolean;
  records: RawRecords;
  /** Adds the entries of a record. */
  storeRecord(record: RawRecord): void;
}

export interface RawStore {
  readonly name: string;
  readonly keyPath: KeyPath | null;
  readonly autoIncrement: boolean;
  /** `num` is the last key given out. */
  readonly keyGenerator: { num: number } | null;
  records: RawRecords;
  readonly rawIndexes: Map<string, RawIndex>;
}

export interface RawDatabase {
  readonly name: string;
  readonly version: number;
  readonly rawObjectStores: Map<string, RawStore>;
}

/** What a transaction has beyond IDBTransaction. */
export interface RawTransaction {
  /** Undo steps, run last to first by an abort. */
  readonly _rollbackLog: (() => void)[];
  /** Its turn has come: no other transaction over the same object stores runs. */
  readonly _started: boolean;
  /** Undoes, sets `error`, and fires `abort` in a later task. */
  _abort(errorName: string | null): void;
  dispatchEvent(event: Event): boolean;
}

export function rawDatabaseOf(connection: IDBDatabase): RawDatabase {
  const raw = field(connection, '_rawDatabase');
  if (!(field(raw, 'rawObjectStores') instanceof Map)) throw unknownInternals();
  return raw as RawDatabase;
}

export function rawTransactionOf(transaction: IDBTransaction): RawTransaction {
  if (!Array.isArray(field(transaction, '_rollbackLog')) || typeof field(transaction, '_abort') !== 'function') {
    throw unknownInternals();
  }
  return transaction as unknown as RawTransaction;
}

const RECORDS_METHODS = ['get', 'put', 'delete', 'deleteByKeyAndValue', 'clear', 'values', 'size'] as const;

/** @throws Error when the records of this object store or index cannot be replaced by ours */
export function assertReplaceable(owner: RawStore | RawIndex): void {
  const { records } = owner;
  const ours: readonly unknown[] = RECORDS_METHODS;
  const methods = Object.getOwnPropertyNames(Object.getPrototypeOf(records)).filter((name) => name !== 'constructor');
  if (methods.length !== ours.length || methods.some((name) => !ours.includes(name))) throw unknownInternals();
}

function field(of: unknown, name: string): unknown {
  return typeof of === 'object' && of !== null ? (of as Record<string, unknown>)[name] : undefined;
}

function unknownInternals(): Error {
  return new Error('this version of fake-indexeddb is not built as the durable store expects; use the pinned one');
}
