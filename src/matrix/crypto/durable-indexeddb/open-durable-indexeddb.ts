import { IDBFactory as MemoryFactory, IDBKeyRange as MemoryKeyRange } from 'fake-indexeddb';
import type { RelayError } from '../../../util/relay-error.ts';
import { DurableFactory } from './durable-factory.ts';
import { DurableSchema } from './durable-schema.ts';
import { DurableState } from './durable-state.ts';
import { indexAnew, restoreAll } from './restore.ts';
import { StoreFile } from './store-file.ts';

export interface DurableIndexedDbOptions {
  /** The SQLite file; made (mode 0600) when it is not there, its folder must be. */
  readonly path: string;
  /**
   * Called once when a write to disk fails. The transaction was undone and aborted, later ones are refused and nothing is
   * written any more; what the caller keeps in its own memory may be ahead of the disk, so stop and start anew.
   */
  readonly onFailure: (error: RelayError) => void;
}

export interface DurableIndexedDb {
  readonly indexedDB: IDBFactory;
  readonly IDBKeyRange: typeof IDBKeyRange;
  /** Lets running transactions finish, refuses new ones, frees the file. Idempotent. */
  close(): Promise<void>;
}

/**
 * An IndexedDB that lives in one file: the semantics of fake-indexeddb, and every committed readwrite transaction on
 * disk before `complete` is fired. One process at a time.
 * @throws RelayError CRYPTO_STORE_IN_USE, _CORRUPT, _FOREIGN, _NEWER, _UNUSABLE
 */
export async function openDurableIndexedDb(options: DurableIndexedDbOptions): Promise<DurableIndexedDb> {
  const file = new StoreFile(options.path);
  try {
    const factory = new MemoryFactory();
    const databases = file.databases();
    const state = new DurableState(file, options.onFailure);
    const schema = new DurableSchema(state, databases);
    const restored = await restoreAll(factory, schema, databases);
    if (file.needsEntries) file.addEntries(indexAnew(restored, schema));
    const durable = new DurableFactory(state, schema);
    durable.hookFactory(factory);
    return {
      indexedDB: factory,
      IDBKeyRange: MemoryKeyRange,
      async close() {
        durable.refuseNew();
        await state.close();
      },
    };
  } catch (error) {
    file.close();
    throw error;
  }
}
