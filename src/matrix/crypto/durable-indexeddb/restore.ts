import type { RawDatabase } from './fake-internals.ts';
import { rawDatabaseOf } from './fake-internals.ts';
import { decodeKey } from './key-codec.ts';
import type { KeyPath, StoreDefinition } from './schema.ts';
import type { SavedDatabase, SavedStore, StoreFile } from './store-file.ts';
import { StoredRecord } from './stored-record.ts';

/**
 * Makes a saved database again in an empty factory: the schema in one upgrade to the stored version, then the records
 * past the request queue (a request each would cost more than the reading).
 */
export async function restoreDatabase(
  factory: IDBFactory,
  saved: SavedDatabase,
  file: StoreFile,
): Promise<RawDatabase> {
  const connection = await createSchema(factory, saved);
  const database = rawDatabaseOf(connection);
  for (const store of saved.stores) fillStore(database, store, file);
  connection.close();
  return database;
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

function fillStore(database: RawDatabase, saved: SavedStore, file: StoreFile): void {
  const store = database.rawObjectStores.get(saved.definition.name);
  if (store === undefined) throw new RangeError(`object store ${saved.definition.name} was not made`);
  const indexes = [...store.rawIndexes.values()];
  file.eachRecord(saved.id, ({ key, value }) => {
    const record = new StoredRecord(decodeKey(key), value);
    store.records.put(record);
    for (const index of indexes) index.storeRecord(record);
  });
  if (store.keyGenerator !== null) store.keyGenerator.num = saved.keyGenerator ?? 0;
}
