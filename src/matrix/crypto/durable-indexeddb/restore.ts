import { BulkLoad } from './bulk-load.ts';
import { checkedTrees, type RawDatabase, rawDatabaseOf } from './fake-internals.ts';
import type { KeyPath, StoreDefinition } from './schema.ts';
import type { SavedDatabase, StoreFile } from './store-file.ts';

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
  const loads = new Map<number, BulkLoad>();
  for (const { saved, database } of restored) {
    for (const { id, definition, keyGenerator } of saved.stores) {
      const store = database.rawObjectStores.get(definition.name);
      if (store === undefined) throw new RangeError(`object store ${definition.name} was not made`);
      if (store.keyGenerator !== null) store.keyGenerator.num = keyGenerator ?? 0;
      loads.set(id, new BulkLoad(checkedTrees(store)));
    }
  }
  withoutStackTraces(() => {
    file.eachRecord((record) => {
      const load = loads.get(record.storeId);
      if (load === undefined) throw new RangeError('a record of no object store');
      load.take(record);
    });
    for (const load of loads.values()) load.finish();
  });
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
