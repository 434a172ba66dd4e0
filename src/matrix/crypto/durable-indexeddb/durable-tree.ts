import type { Direction, RawRecord, RawRecords } from './fake-internals.ts';
import { encodeKey, type StoredKey } from './key-codec.ts';
import { type Span, spanOf } from './key-span.ts';
import type { SavedRecord, TreeId } from './saved-data.ts';
import { TreeChanges } from './tree-changes.ts';

/** Reads of the file, and whether an abort is just being undone. */
export interface TreeSource {
  readonly undoing: boolean;
  get(tree: TreeId, key: Buffer): Buffer | undefined;
  count(tree: TreeId): number;
  /** At most `limit` records with keys from `from` to before `to`, descending from the end when so wanted. */
  page(tree: TreeId, span: Span, limit: number): readonly SavedRecord[];
  /** Bytes that were read and do not parse: the error to throw. */
  damaged(error: unknown): DOMException;
}

const FIRST_PAGE = 4;
const LARGEST_PAGE = 256;

/**
 * The records of one object store, or the entries of one index, as fake-indexeddb wants to see them: what is on disk,
 * read when it is asked for, below what the running transaction has changed. One per object store and index; it holds the
 * changes only. Invariant: only one readwrite transaction at a time changes a tree (IndexedDB sees to that), and
 * its end makes the changes either durable or forgotten.
 */
export abstract class DurableTree implements RawRecords {
  readonly tree: TreeId;
  readonly changes = new TreeChanges();
  readonly #source: TreeSource;

  constructor(tree: TreeId, source: TreeSource) {
    this.tree = tree;
    this.#source = source;
  }

  /** How a record is stored. */
  protected abstract encode(record: RawRecord): SavedRecord;
  protected abstract decode(saved: SavedRecord): RawRecord;

  protected parse<Parsed>(bytes: Buffer, parser: (bytes: Buffer) => Parsed): Parsed {
    try {
      return parser(bytes);
    } catch (error) {
      throw this.#source.damaged(error);
    }
  }

  /** The first record of the key or range. */
  get(keyOrRange: unknown): RawRecord | undefined {
    for (const record of this.#decoded(spanOf(keyOrRange))) return record;
    return undefined;
  }

  /** @returns what it replaces. @throws DOMException ConstraintError, DataCloneError; nothing has changed then */
  put(record: RawRecord, noOverwrite = false): RawRecord | undefined {
    if (this.#source.undoing) return undefined;
    const saved = this.encode(record);
    const before = this.#saved(saved.key);
    if (before !== undefined && noOverwrite) throw new DOMException('the key is taken', 'ConstraintError');
    this.changes.set(saved);
    return before === undefined ? undefined : this.decode(before);
  }

  /** @returns what was deleted: the indexes need it */
  delete(keyOrRange: unknown): readonly RawRecord[] {
    if (this.#source.undoing) return [];
    const found = [...this.#between(spanOf(keyOrRange))];
    for (const { key } of found) this.changes.set({ key, value: null });
    return found.map((saved) => this.decode(saved));
  }

  /** For an index: the entry of this key that points at the record `value`. */
  deleteByKeyAndValue(key: StoredKey, value: unknown): void {
    if (!this.#source.undoing) this.changes.set({ key: this.encode({ key, value }).key, value: null });
  }

  /** @returns nothing: fake-indexeddb would keep the records for undoing, and we need none of them */
  clear(): readonly RawRecord[] {
    if (!this.#source.undoing) this.changes.clear();
    return [];
  }

  *values(range?: IDBKeyRange, direction: Direction = 'next'): Generator<RawRecord, undefined> {
    const descending = direction === 'prev' || direction === 'prevunique';
    const records = this.#decoded({ ...spanOf(range), descending });
    if (direction === 'nextunique') yield* firstOfEachKey(records);
    else if (direction === 'prevunique') yield* lastOfEachKey(records);
    else yield* records;
  }

  *#decoded(span: Span): Generator<RawRecord, undefined> {
    for (const saved of this.#between(span)) yield this.decode(saved);
  }

  size(): number {
    if (this.changes.isEmpty) return this.#source.count(this.tree);
    return [...this.#between(spanOf(undefined))].length;
  }

  #saved(key: Buffer): SavedRecord | undefined {
    const changed = this.changes.get(key);
    if (changed !== undefined) return changed ?? undefined;
    const value = this.#source.get(this.tree, key);
    return value === undefined ? undefined : { key, value };
  }

  /** What is on disk and not changed, merged with what was put. */
  *#between(span: Span): Generator<SavedRecord, undefined> {
    const puts = this.changes.isEmpty ? [] : [...this.changes.putsBetween(span.from, span.to)];
    if (span.descending) puts.reverse();
    let at = 0;
    for (const saved of this.#onDisk(span)) {
      for (let put = puts[at]; put !== undefined && comesFirst(put.key, saved.key, span); put = puts[at]) {
        yield put;
        at += 1;
      }
      if (this.changes.get(saved.key) === undefined) yield saved;
    }
    yield* puts.slice(at);
  }

  /** In pages, never with an open statement: the caller may read and write between two records. */
  *#onDisk(span: Span): Generator<SavedRecord, undefined> {
    if (this.changes.cleared) return;
    let rest = span;
    for (let limit = FIRST_PAGE; ; limit = Math.min(limit * 4, LARGEST_PAGE)) {
      const page = this.#source.page(this.tree, rest, limit);
      yield* page;
      const last = page.at(-1);
      if (last === undefined || page.length < limit) return;
      // A zero byte more makes the smallest key behind it.
      rest = span.descending ? { ...rest, to: last.key } : { ...rest, from: Buffer.concat([last.key, Buffer.of(0)]) };
    }
  }
}

function comesFirst(a: Buffer, b: Buffer, { descending }: Span): boolean {
  const order = Buffer.compare(a, b);
  return descending ? order > 0 : order < 0;
}

function sameKey(a: RawRecord, b: RawRecord): boolean {
  return encodeKey(a.key as StoredKey).equals(encodeKey(b.key as StoredKey));
}

function* firstOfEachKey(records: Iterable<RawRecord>): Generator<RawRecord, undefined> {
  let last: RawRecord | undefined;
  for (const record of records) {
    if (last === undefined || !sameKey(last, record)) yield record;
    last = record;
  }
}

function* lastOfEachKey(records: Iterable<RawRecord>): Generator<RawRecord, undefined> {
  let last: RawRecord | undefined;
  for (const record of records) {
    if (last !== undefined && !sameKey(last, record)) yield last;
    last = record;
  }
  if (last !== undefined) yield last;
}
