import type { RawRecord, RawStore, RollbackLog } from './fake-internals.ts';
import { encodeKey, type StoredKey } from './key-codec.ts';
import type { SavedRecord, StoreChange } from './store-file.ts';
import { StoredRecord } from './stored-record.ts';

interface Touched {
  cleared: boolean;
  /** Encoded keys written or deleted since, by their bytes as text. */
  readonly keys: Map<string, { readonly key: StoredKey; readonly bytes: Buffer }>;
}

/**
 * Which records one readwrite transaction may have changed. One per transaction. It notes keys and not operations: what goes to
 * disk is what memory holds when the transaction commits, so a failed or undone operation cannot leave a trace, and
 * ten writes of a record cost one.
 */
export class TransactionJournal {
  readonly #rollbackLog: RollbackLog;
  readonly #touched = new Map<RawStore, Touched>();

  constructor(rollbackLog: RollbackLog) {
    this.#rollbackLog = rollbackLog;
  }

  /** Before an operation on the store. */
  touch(store: RawStore): void {
    if (this.#touched.has(store)) return;
    this.#touched.set(store, { cleared: false, keys: new Map() });
    const { keyGenerator } = store;
    const before = keyGenerator?.num;
    // An abort takes back the generator too (https://www.w3.org/TR/IndexedDB/#key-generator-construct); undo steps run
    // last to first, so this one runs after those of fake-indexeddb, which forget a key that the caller chose.
    this.#rollbackLog.push(() => {
      if (keyGenerator !== null && before !== undefined) keyGenerator.num = before;
    });
  }

  changed(store: RawStore, key: StoredKey): void {
    this.touch(store);
    const bytes = encodeKey(key);
    this.#touched.get(store)?.keys.set(bytes.toString('latin1'), { key, bytes });
  }

  cleared(store: RawStore): void {
    this.touch(store);
    this.#touched.set(store, { cleared: true, keys: new Map() });
  }

  /** The changes to write. `idOf` gives the number of a store on disk, null for one that was deleted meanwhile. */
  changes(idOf: (store: RawStore) => number | null): readonly StoreChange[] {
    const out: StoreChange[] = [];
    for (const [store, touched] of this.#touched) {
      const storeId = idOf(store);
      if (storeId !== null) out.push(changeOf(store, storeId, touched));
    }
    return out;
  }
}

function changeOf(store: RawStore, storeId: number, touched: Touched): StoreChange {
  const puts: SavedRecord[] = [];
  const deletes: Buffer[] = [];
  for (const { key, bytes } of touched.keys.values()) {
    const record = store.records.get(key);
    if (record === undefined) deletes.push(bytes);
    else puts.push({ key: bytes, value: bytesOf(record) });
  }
  return { storeId, cleared: touched.cleared, puts, deletes, keyGenerator: store.keyGenerator?.num ?? null };
}

function bytesOf(record: RawRecord): Buffer {
  if (record instanceof StoredRecord) return record.bytes;
  throw new TypeError('a record came into the store past the journal');
}
