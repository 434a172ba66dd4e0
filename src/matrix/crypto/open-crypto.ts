import type { MatrixClient } from 'matrix-js-sdk';
import type { Logger } from '../../util/logger.ts';
import { errorText, RelayError } from '../../util/relay-error.ts';
import { installIndexedDbGlobals } from './durable-indexeddb/install-globals.ts';
import { type DurableIndexedDb, openDurableIndexedDb } from './durable-indexeddb/open-durable-indexeddb.ts';
import { bindStore } from './store-binding.ts';
import { loadStoreKey } from './store-key.ts';

/** Names of the Rust crypto's databases begin with it. A change makes a new device identity out of every store. */
const DATABASE_PREFIX = 'mmrelay';

export interface OpenCryptoOptions {
  /** Made with user and device id, not started yet. */
  readonly client: MatrixClient;
  /** The SQLite file of this user and device. */
  readonly storePath: string;
  /** The key that encrypts it, a file next to the credentials. */
  readonly keyPath: string;
  readonly logger: Logger;
  /** The store cannot save any more: stop sending and end the process, what is in memory is ahead of the disk. */
  readonly onFailure: (error: RelayError) => void;
}

export interface CryptoHandle {
  /** After `client.stopClient()`: saves what still runs and frees the store for the next process. Idempotent. */
  close(): Promise<void>;
}

/**
 * Gives a client end-to-end encryption whose keys outlive the process, whatever ends it. One opening at a time per process: the
 * Rust crypto finds its IndexedDB by a global name, which is there while it opens its databases.
 * @throws RelayError CRYPTO_STORE_* (in use, damaged, wrong key, other device; nothing is changed then), CRYPTO_FAILED
 */
export async function openCrypto(options: OpenCryptoOptions): Promise<CryptoHandle> {
  const { client, storePath, keyPath, logger, onFailure } = options;
  const userId = client.getUserId();
  const deviceId = client.getDeviceId();
  if (userId === null || deviceId === null) {
    throw new RelayError('CRYPTO_NO_DEVICE', 'encryption needs a device id; log in once instead of using a bare token');
  }
  const key = loadStoreKey({ keyPath, storePath });
  const durable = await openDurableIndexedDb({ path: storePath, onFailure });
  try {
    await bindStore(durable.indexedDB, { userId, deviceId, key });
    const removeGlobal = installIndexedDbGlobals(durable.indexedDB);
    try {
      await startRustCrypto(client, key);
    } finally {
      removeGlobal();
    }
    logger.debug('Encryption is ready', { store: storePath });
    return handleOf(durable);
  } catch (error) {
    await durable.close();
    throw error;
  }
}

async function startRustCrypto(client: MatrixClient, key: Uint8Array): Promise<void> {
  try {
    await client.initRustCrypto({ useIndexedDB: true, cryptoDatabasePrefix: DATABASE_PREFIX, storageKey: key });
  } catch (error) {
    throw new RelayError('CRYPTO_FAILED', `encryption could not be started: ${errorText(error)}`, { cause: error });
  }
}

function handleOf(durable: DurableIndexedDb): CryptoHandle {
  let closed: Promise<void> | null = null;
  return {
    close() {
      closed ??= durable.close();
      return closed;
    },
  };
}
