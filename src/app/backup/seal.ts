import { createCipheriv, createDecipheriv, type DecipherGCM, randomBytes, scryptSync } from 'node:crypto';
import { RelayError } from '../../util/relay-error.ts';

/** Begins every encrypted archive; then 16 bytes of salt, 12 of nonce, the ciphertext, 16 of tag (AES-256-GCM, scrypt). */
export const MAGIC = Buffer.from('MMRELAY-SEALED-1');
const SALT_BYTES = 16;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = MAGIC.length + SALT_BYTES + NONCE_BYTES;
const SCRYPT = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 };

/** Encrypts a stream with a password. */
export async function* seal(chunks: AsyncIterable<Uint8Array>, password: string): AsyncGenerator<Uint8Array> {
  const salt = randomBytes(SALT_BYTES);
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', scryptSync(password, salt, 32, SCRYPT), nonce);
  yield Buffer.concat([MAGIC, salt, nonce]);
  for await (const chunk of chunks) yield cipher.update(chunk);
  yield cipher.final();
  yield cipher.getAuthTag();
}

/**
 * Decrypts what `seal` made. The content may be used only after the last chunk: only then it is known to be genuine.
 * @throws RelayError STORE_BACKUP for a wrong password or a damaged archive
 */
export async function* unseal(chunks: AsyncIterable<Uint8Array>, password: string): AsyncGenerator<Uint8Array> {
  let pending = Buffer.alloc(0);
  let decipher: DecipherGCM | null = null;
  for await (const chunk of chunks) {
    pending = Buffer.concat([pending, chunk]);
    if (decipher === null) {
      if (pending.length < HEAD_BYTES) continue;
      const salt = pending.subarray(MAGIC.length, MAGIC.length + SALT_BYTES);
      const nonce = pending.subarray(MAGIC.length + SALT_BYTES, HEAD_BYTES);
      decipher = createDecipheriv('aes-256-gcm', scryptSync(password, salt, 32, SCRYPT), nonce);
      pending = pending.subarray(HEAD_BYTES);
    }
    if (pending.length <= TAG_BYTES) continue;
    yield decipher.update(pending.subarray(0, -TAG_BYTES));
    pending = pending.subarray(-TAG_BYTES);
  }
  try {
    if (decipher === null || pending.length !== TAG_BYTES) throw new Error('too short');
    decipher.setAuthTag(pending);
    yield decipher.final();
  } catch (error) {
    throw new RelayError('STORE_BACKUP', 'The password is wrong, or the archive is damaged', { cause: error });
  }
}
