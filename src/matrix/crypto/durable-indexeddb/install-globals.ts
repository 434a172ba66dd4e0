import {
  IDBCursor,
  IDBCursorWithValue,
  IDBDatabase,
  IDBFactory,
  IDBIndex,
  IDBKeyRange,
  IDBObjectStore,
  IDBOpenDBRequest,
  IDBRequest,
  IDBTransaction,
  IDBVersionChangeEvent,
} from 'fake-indexeddb';
import { RETRY_LATER, RelayError } from '../../../util/relay-error.ts';

/** Libraries for browsers look these up by name, and test with `instanceof`. */
const CLASSES = {
  IDBCursor,
  IDBCursorWithValue,
  IDBDatabase,
  IDBFactory,
  IDBIndex,
  IDBKeyRange,
  IDBObjectStore,
  IDBOpenDBRequest,
  IDBRequest,
  IDBTransaction,
  IDBVersionChangeEvent,
};

/**
 * Puts `indexedDB` and its classes where code written for browsers finds them. The returned function takes `indexedDB` away
 * again; call it when the databases are open. The classes stay: they hold nothing, and key ranges are made by name.
 * @throws RelayError CRYPTO_INDEXEDDB_TAKEN (later) when the program has an `indexedDB`, or another store is just being opened
 */
export function installIndexedDbGlobals(indexedDB: IDBFactory, target: object = globalThis): () => void {
  if ('indexedDB' in target) {
    throw new RelayError(
      'CRYPTO_INDEXEDDB_TAKEN',
      'this process already has an indexedDB, or is opening another store',
      {
        retry: RETRY_LATER,
      },
    );
  }
  const missing = Object.entries(CLASSES).filter(([name]) => !(name in target));
  const globals: readonly (readonly [string, unknown])[] = [['indexedDB', indexedDB], ...missing];
  for (const [name, value] of globals) {
    Object.defineProperty(target, name, { value, configurable: true, writable: true, enumerable: false });
  }
  return () => {
    Reflect.deleteProperty(target, 'indexedDB');
  };
}
