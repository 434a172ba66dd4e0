import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import type { JsonObject } from '../../util/json.ts';

/**
 * Encrypts a file for an encrypted room: AES-CTR with a key of its own, told in the event (client-server API, "Sending
 * encrypted attachments", v2). @returns the bytes to upload, and the `file` object without its url
 */
export function encryptAttachment(data: Uint8Array): { readonly data: Uint8Array; readonly file: JsonObject } {
  const key = randomBytes(32);
  // The counter half starts at 0, so that no client's 64-bit counter runs over.
  const iv = Buffer.concat([randomBytes(8), Buffer.alloc(8)]);
  const cipher = createCipheriv('aes-256-ctr', key, iv);
  const encrypted = Buffer.concat([cipher.update(data), cipher.final()]);
  const file = {
    v: 'v2',
    key: { kty: 'oct', key_ops: ['encrypt', 'decrypt'], alg: 'A256CTR', k: key.toString('base64url'), ext: true },
    iv: unpadded(iv),
    hashes: { sha256: unpadded(createHash('sha256').update(encrypted).digest()) },
  };
  return { data: new Uint8Array(encrypted), file };
}

function unpadded(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '');
}
