import { createHmac } from 'node:crypto';
import { RelayError } from '../../util/relay-error.ts';

const DATABASE = 'mmrelay-binding';
const STORE = 'binding';
const FIELD = 'v1';

export interface StoreOwner {
  readonly userId: string;
  readonly deviceId: string;
  readonly key: Uint8Array;
}

interface Binding {
  readonly userId: string;
  readonly deviceId: string;
  /** Tells whether a key is the right one, says nothing about it. */
  readonly keyCheck: string;
}

/**
 * Ties a new store to its user, device and key, and checks those of an existing one, before the Rust crypto touches
 * it: a device has one identity for life, and a store opened for the wrong one would publish keys that nobody expects.
 * @throws RelayError CRYPTO_STORE_KEY_WRONG, CRYPTO_STORE_OTHER_DEVICE, CRYPTO_STORE_CORRUPT; nothing is changed then
 */
export async function bindStore(indexedDB: IDBFactory, owner: StoreOwner): Promise<void> {
  const wanted: Binding = {
    userId: owner.userId,
    deviceId: owner.deviceId,
    keyCheck: createHmac('sha256', owner.key).update('mmrelay crypto store').digest('base64'),
  };
  const names = (await indexedDB.databases()).map(({ name }) => name);
  if (!names.includes(DATABASE) && names.length > 0) {
    throw new RelayError(
      'CRYPTO_STORE_CORRUPT',
      'the crypto store does not say whose it is; nothing was changed in it',
    );
  }
  const db = await openDatabase(indexedDB, wanted);
  try {
    checkBinding(await readBinding(db), wanted);
  } finally {
    db.close();
  }
}

function checkBinding(found: Binding | undefined, wanted: Binding): void {
  if (found === undefined || found.userId !== wanted.userId || found.deviceId !== wanted.deviceId) {
    const whose = found === undefined ? 'nobody' : `${found.userId}, device ${found.deviceId}`;
    throw new RelayError(
      'CRYPTO_STORE_OTHER_DEVICE',
      `the crypto store belongs to ${whose}, but this is ${wanted.userId}, device ${wanted.deviceId}; nothing was changed in it`,
    );
  }
  if (found.keyCheck !== wanted.keyCheck) {
    throw new RelayError(
      'CRYPTO_STORE_KEY_WRONG',
      'the key file is not the one of this crypto store; nothing was changed in it',
    );
  }
}

/** The record is written in the same transaction that makes the database. */
function openDatabase(indexedDB: IDBFactory, binding: Binding): Promise<IDBDatabase> {
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE).put(binding, FIELD);
  return result(request);
}

function readBinding(db: IDBDatabase): Promise<Binding | undefined> {
  return result(db.transaction(STORE).objectStore(STORE).get(FIELD) as IDBRequest<Binding | undefined>);
}

function result<Result>(request: IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
