import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { errorText, RelayError } from '../../util/relay-error.ts';

const KEY_BYTES = 32;

export interface StoreKeyOptions {
  /** The key file: one line of base64, mode 0600. */
  readonly keyPath: string;
  /** The store it opens: where that exists, a missing key is an error and never made anew. */
  readonly storePath: string;
}

/**
 * The key that encrypts the crypto store at rest; made on first use.
 * @throws RelayError CRYPTO_STORE_KEY_MISSING, _KEY_DAMAGED, _KEY_UNUSABLE; key file and store are then as they were
 */
export function loadStoreKey({ keyPath, storePath }: StoreKeyOptions): Uint8Array {
  try {
    if (!existsSync(keyPath)) {
      if (existsSync(storePath)) throw keyMissing(keyPath, storePath);
      createKey(keyPath);
    }
    chmodSync(keyPath, 0o600);
    return parseKey(keyPath, readFileSync(keyPath, 'utf8'));
  } catch (error) {
    if (error instanceof RelayError) throw error;
    throw new RelayError('CRYPTO_STORE_KEY_UNUSABLE', `cannot use ${keyPath}: ${errorText(error)}`, { cause: error });
  }
}

function keyMissing(keyPath: string, storePath: string): RelayError {
  return new RelayError(
    'CRYPTO_STORE_KEY_MISSING',
    `${keyPath} is missing, and without it ${storePath} cannot be read. Put it back, or move the store away to start as a new device`,
  );
}

function parseKey(keyPath: string, text: string): Uint8Array {
  const line = text.trim();
  const key = Buffer.from(line, 'base64');
  if (key.length !== KEY_BYTES || key.toString('base64') !== line) {
    throw new RelayError('CRYPTO_STORE_KEY_DAMAGED', `${keyPath} does not hold a key of ${KEY_BYTES} bytes`);
  }
  return new Uint8Array(key);
}

/** Complete under another name first; the link gives it its own only if nobody else was faster. */
function createKey(keyPath: string): void {
  const draft = `${keyPath}.new-${process.pid}`;
  rmSync(draft, { force: true });
  const file = openSync(draft, 'wx', 0o600);
  try {
    writeSync(file, `${randomBytes(KEY_BYTES).toString('base64')}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  try {
    linkSync(draft, keyPath);
  } catch (error) {
    if (!existsSync(keyPath)) throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}
