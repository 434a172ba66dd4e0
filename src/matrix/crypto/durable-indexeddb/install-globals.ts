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
import { RelayError } from '../../../util/relay-error.ts';

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
 * Puts `indexedDB` and its classes where code written for browsers finds them. The returned function takes them away
 * again; call it when nobody uses them any more.
 * @throws RelayError CRYPTO_INDEXEDDB_TAKEN when the program already has an `indexedDB`
 */
export function installIndexedDbGlobals(indexedDB: IDBFactory, target: object = globalThis): () => void {
  if ('indexedDB' in target) {
    throw new RelayError('CRYPTO_INDEXEDDB_TAKEN', 'this process already has an indexedDB; only one store can be open');
  }
  const missing = Object.entries(CLASSES).filter(([name]) => !(name in target));
  const globals: readonly (readonly [string, unknown])[] = [['indexedDB', indexedDB], ...missing];
  for (const [name, value] of globals) {
    Object.defineProperty(target, name, { value, configurable: true, writable: true, enumerable: false });
  }
  return () => {
    for (const [name] of globals) Reflect.deleteProperty(target, name);
  };
}
