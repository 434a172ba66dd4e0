/**
 * The seam for end-to-end encryption. Every event that leaves passes `encrypt` when its room is encrypted, every
 * m.room.encrypted that arrives passes `decrypt`; there is no other road. `refuseEncryption` stands in where
 * encryption is switched off: it refuses, so that plaintext cannot get into an encrypted room.
 */

import type { MatrixClient } from 'matrix-js-sdk';
import type { CryptoCallbacks } from 'matrix-js-sdk/lib/crypto-api/index.js';
import type { RoomEvent, Unreadable } from '../../relay/ports.ts';
import type { JsonObject } from '../../util/json.ts';
import { RelayError } from '../../util/relay-error.ts';
import type { MatrixApi } from '../api.ts';

export interface ClearEvent {
  readonly type: string;
  readonly content: JsonObject;
}

export type Decrypted = ClearEvent | { readonly undecryptable: Unreadable };

export interface RoomCrypto {
  /** What the SDK asks of us; given to each new client. */
  callbacks(): CryptoCallbacks;
  /**
   * Called with each new SDK client before it syncs (again after a change of device).
   * @throws RelayError CRYPTO_DEVICE_TAKEN when this device id has other keys on the server and a new device can be made;
   *   what the network gave (try again)
   */
  attach(client: MatrixClient, api: MatrixApi): Promise<void>;
  /** @throws RelayError when it cannot; never returns plaintext */
  encrypt(roomId: string, event: ClearEvent): Promise<ClearEvent>;
  /**
   * Never throws: what cannot be read is told in words.
   * @param event as it came from the server
   * @param onMore called when the missing key has come, and each time it cannot be read for another reason than before
   */
  decrypt(roomId: string, event: JsonObject, onMore: (result: Decrypted) => void): Promise<Decrypted>;
  /** An event of a room as others see it, decrypted: it may belong to a verification. */
  observe(event: RoomEvent): void;
  /** The bytes to upload, and the `file` object without its url. @throws RelayError when it cannot */
  encryptFile(data: Uint8Array): Promise<{ readonly data: Uint8Array; readonly file: JsonObject }>;
  /** Why rooms cannot be encrypted, in words; null when they can, or the client is not there yet. */
  problem(): string | null;
  /** An answer to a request of the SDK. */
  noteAnswer(path: string, ok: boolean): void;
  /** After the client has stopped. Idempotent. */
  detach(): Promise<void>;
}

const SWITCHED_OFF = 'encryption is switched off (matrix.e2ee.enabled)';

export const refuseEncryption: RoomCrypto = {
  callbacks: () => ({}),
  attach: async () => undefined,
  encrypt: async (roomId) => {
    throw encryptionRefusal(`room ${roomId} is encrypted`, SWITCHED_OFF);
  },
  decrypt: async () => ({ undecryptable: 'no-crypto' }),
  observe: () => undefined,
  encryptFile: async () => {
    throw encryptionRefusal('the room is encrypted', SWITCHED_OFF);
  },
  problem: () => SWITCHED_OFF,
  noteAnswer: () => undefined,
  detach: async () => undefined,
};

/** @param what is encrypted, as a sentence */
export function encryptionRefusal(what: string, why: string): RelayError {
  return new RelayError('MATRIX_ENCRYPTED_ROOM', `Not sent: ${what}, and ${why}`, {
    userText: 'this room is encrypted and the relay cannot encrypt',
  });
}
