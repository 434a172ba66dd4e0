/**
 * The seam for end-to-end encryption. Every event that leaves passes `encrypt` when its room is encrypted, every
 * m.room.encrypted that arrives passes `decrypt`; there is no other road. `refuseEncryption` stands in until a
 * backend is given: it refuses, so that plaintext cannot get into an encrypted room.
 */

import type { MatrixClient } from 'matrix-js-sdk';
import type { JsonObject } from '../util/json.ts';
import { RelayError } from '../util/relay-error.ts';

export type Decrypted = { readonly type: string; readonly content: JsonObject } | { readonly undecryptable: string };

export interface RoomCrypto {
  /** Called with each new SDK client before it syncs (again after a change of device). */
  attach(client: MatrixClient): Promise<void>;
  /** @throws RelayError when it cannot; never returns plaintext */
  encrypt(
    roomId: string,
    event: { readonly type: string; readonly content: JsonObject },
  ): Promise<{
    readonly type: string;
    readonly content: JsonObject;
  }>;
  /** Never throws: what cannot be read is told in words. @param event as it came from the server */
  decrypt(roomId: string, event: JsonObject): Promise<Decrypted>;
  /** The bytes to upload, and the `file` object without its url. @throws RelayError when it cannot */
  encryptFile(data: Uint8Array): Promise<{ readonly data: Uint8Array; readonly file: JsonObject }>;
  detach(): Promise<void>;
}

export const refuseEncryption: RoomCrypto = {
  attach: async () => undefined,
  encrypt: async (roomId) => {
    throw encryptionRefusal(roomId);
  },
  decrypt: async () => ({ undecryptable: 'this relay does not read encrypted rooms yet' }),
  encryptFile: async () => {
    throw encryptionRefusal(null);
  },
  detach: async () => undefined,
};

function encryptionRefusal(roomId: string | null): RelayError {
  const room = roomId === null ? 'The room' : `Room ${roomId}`;
  return new RelayError('MATRIX_ENCRYPTED_ROOM', `${room} is encrypted, and encryption is not available: not sent`, {
    userText: 'this room is encrypted and the relay cannot encrypt',
  });
}
