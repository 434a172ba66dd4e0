import type { RawIndex, RawRecord, RawRecords, RawStore } from './fake-internals.ts';
import { decodeKey, encodeKey, type StoredKey } from './key-codec.ts';
import type { KeyPath } from './schema.ts';
import type { SavedRecord } from './store-file.ts';
import { StoredRecord } from './stored-record.ts';

interface Entry {
  /** Encoded keys, a character per byte (compares faster than a Buffer); their order is the order in the tree. */
  readonly order: string;
  readonly record: RawRecord;
}

/**
 * Fills an empty object store and its indexes: collects, sorts by encoded keys and builds each tree at once, because
 * putting 100,000 records one by one is most of the time that opening takes. One per store, used once.
 */
export class BulkLoad {
  readonly #store: RawStore;
  readonly #entries: Entry[] = [];
  readonly #indexes: readonly { readonly index: RawIndex; readonly entries: Entry[] }[];

  constructor(store: RawStore) {
    this.#store = store;
    this.#indexes = [...store.rawIndexes.values()].map((index) => ({ index, entries: [] }));
  }

  /** @throws RangeError when the bytes are no key */
  take(saved: SavedRecord): void {
    const key = decodeKey(saved.key);
    const record = new StoredRecord(key, saved.value);
    const primary = saved.key.toString('latin1');
    this.#entries.push({ order: primary, record });
    if (this.#indexes.length === 0) return;
    const { value } = record;
    for (const { index, entries } of this.#indexes) {
      for (const indexKey of indexKeys(index, value)) {
        const order = encodeKey(indexKey).toString('latin1') + primary;
        entries.push({ order, record: { key: indexKey, value: key } });
      }
    }
  }

  finish(): void {
    fillTree(this.#store.records, this.#entries);
    for (const { index, entries } of this.#indexes) fillTree(index.records, entries);
  }
}

function indexKeys(index: RawIndex, value: unknown): readonly StoredKey[] {
  if (lacksKey(index.keyPath, value)) return [];
  const found = index.getIndexKey(value);
  if (found === undefined) return [];
  return index.multiEntry && Array.isArray(found) ? (found as readonly StoredKey[]) : [found];
}

/** True only when the record is surely not in the index: spares the exception that fake-indexeddb would throw and catch. */
function lacksKey(keyPath: KeyPath, value: unknown): boolean {
  if (typeof keyPath !== 'string') return keyPath.some((part) => lacksKey(part, value));
  const isPlainStep = keyPath !== '' && !keyPath.includes('.');
  return isPlainStep && isBare(value) && !Object.hasOwn(value, keyPath);
}

function isBare(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

function fillTree({ records: tree }: RawRecords, entries: Entry[]): void {
  if (entries.length === 0) return;
  entries.sort((a, b) => (a.order < b.order ? -1 : 1));
  // A multiEntry index may name the same key of a record twice.
  const once = entries.filter(({ order }, at) => entries[at - 1]?.order !== order);
  const sorted = once.map(({ record }) => record);
  tree._root = tree._rebuild(sorted, undefined, false);
  tree._numNodes = sorted.length;
}
