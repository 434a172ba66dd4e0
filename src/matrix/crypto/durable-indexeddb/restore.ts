import type { DurableSchema } from './durable-schema.ts';
import { type RawDatabase, rawDatabaseOf } from './fake-internals.ts';
import type { Commit, KeyPath, SavedDatabase, StoreDefinition } from './saved-data.ts';

/** Makes the saved databases again in an empty factory, each in one upgrade to the stored version; their records stay on disk. */
export async function restoreAll(
  factory: IDBFactory,
  schema: DurableSchema,
  saved: readonly SavedDatabase[],
): Promise<readonly RawDatabase[]> {
  const restored: RawDatabase[] = [];
  for (const one of saved) {
    const connection = await createSchema(factory, one);
    const database = rawDatabaseOf(connection);
    schema.adopt(database, one);
    connection.close();
    restored.push(database);
  }
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

/** Makes the entries of all indexes from the records: what there is to save of a file of layout 1. */
export function indexAnew(databases: readonly RawDatabase[], schema: DurableSchema): readonly Commit[] {
  return databases.flatMap((database) => {
    const stores = [...database.rawObjectStores.values()];
    for (const { records, rawIndexes } of stores) {
      if (rawIndexes.size === 0) continue;
      for (const record of records.values()) for (const index of rawIndexes.values()) index.storeRecord(record);
    }
    const commit = schema.commitOf(stores, database);
    schema.settle(stores);
    return commit ?? [];
  });
}
