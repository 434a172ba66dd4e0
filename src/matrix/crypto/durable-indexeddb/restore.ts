import { type RawDatabase, type RawIndex, type RawStore, rawDatabaseOf } from './fake-internals.ts';
import { decodeKey } from './key-codec.ts';
import type { KeyPath, StoreDefinition } from './schema.ts';
import type { SavedDatabase, StoreFile } from './store-file.ts';
import { StoredRecord } from './stored-record.ts';

export interface Restored {
  readonly saved: SavedDatabase;
  readonly database: RawDatabase;
}

/**
 * Makes the saved databases again in an empty factory: each schema in one upgrade to the stored version, then the records
 * past the request queue (a request each would cost more than the reading).
 */
export async function restoreAll(factory: IDBFactory, file: StoreFile): Promise<readonly Restored[]> {
  const restored: Restored[] = [];
  for (const saved of file.databases()) {
    const connection = await createSchema(factory, saved);
    restored.push({ saved, database: rawDatabaseOf(connection) });
    connection.close();
  }
  fillStores(restored, file);
  return restored;
}

function createSchema(factory: IDBFactory, saved: SavedDatabase): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = factory.open(saved.name, saved.version);
    request.onupgradeneeded = () => {
      for (const { definition } of saved.stores) createStore(request.result, definition);
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function createStore(connection: IDBDatabase, definition: StoreDefinition): void {
  const { name, autoIncrement, indexes } = definition;
  const store = connection.createObjectStore(name, { keyPath: mutable(definition.keyPath), autoIncrement });
  for (const { name: indexName, keyPath, unique, multiEntry } of indexes) {
    store.createIndex(indexName, typeof keyPath === 'string' ? keyPath : [...keyPath], { unique, multiEntry });
  }
}

function mutable(keyPath: KeyPath | null): string | string[] | null {
  return keyPath === null || typeof keyPath === 'string' ? keyPath : [...keyPath];
}

function fillStores(restored: readonly Restored[], file: StoreFile): void {
  const stores = new Map<number, { readonly store: RawStore; readonly indexes: readonly RawIndex[] }>();
  for (const { saved, database } of restored) {
    for (const { id, definition, keyGenerator } of saved.stores) {
      const store = database.rawObjectStores.get(definition.name);
      if (store === undefined) throw new RangeError(`object store ${definition.name} was not made`);
      if (store.keyGenerator !== null) store.keyGenerator.num = keyGenerator ?? 0;
      stores.set(id, { store, indexes: [...store.rawIndexes.values()] });
    }
  }
  withoutStackTraces(() => {
    file.eachRecord(({ storeId, key, value }) => {
      const to = stores.get(storeId);
      if (to === undefined) throw new RangeError('a record of no object store');
      const record = new StoredRecord(decodeKey(key), value);
      to.store.records.put(record);
      if (to.indexes.length > 0) indexRecord(to.indexes, record);
    });
  });
}

function indexRecord(indexes: readonly RawIndex[], record: StoredRecord): void {
  const { value } = record;
  const store = (): void => {
    for (const index of indexes) if (!lacksKey(index.keyPath, value)) index.storeRecord(record);
  };
  record.whileLive(value, store, false);
}

/** True only when the record is surely not in the index: the common case, without the exception below. */
function lacksKey(keyPath: KeyPath, value: unknown): boolean {
  if (typeof keyPath !== 'string') return keyPath.some((part) => lacksKey(part, value));
  const isPlainStep = keyPath !== '' && !keyPath.includes('.');
  return isPlainStep && isBare(value) && !Object.hasOwn(value, keyPath);
}

function isBare(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

/** fake-indexeddb throws and catches an exception for each record that an index leaves out; its trace is most of the cost. */
function withoutStackTraces(work: () => void): void {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    work();
  } finally {
    Error.stackTraceLimit = limit;
  }
}
