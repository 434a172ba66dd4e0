/**
 * The one road into a room. Stateless but for `encryptedRooms`; invariant: in a room that is encrypted, was ever, or
 * of which we cannot tell, no plaintext leaves.
 */

import type { MediaUpload, RoomSend } from '../relay/ports.ts';
import type { JsonObject } from '../util/json.ts';
import { RETRY_LATER, RelayError } from '../util/relay-error.ts';
import { type MatrixApi, path } from './api.ts';
import { toRelayError } from './errors.ts';
import { HttpFailure } from './http.ts';
import { asString } from './json-read.ts';
import type { RoomCrypto } from './room-crypto.ts';

/** Matrix specification, "Size limits": the whole event, of which the content is most. */
const MAX_EVENT_BYTES = 65_536;

/** Room ids once seen encrypted: for ever, so that neither a restart nor a lying server brings plaintext back. */
export interface EncryptedRooms {
  has(roomId: string): boolean;
  add(roomId: string): void;
}

export interface SenderOptions {
  readonly api: MatrixApi;
  readonly crypto: RoomCrypto;
  readonly encryptedRooms: EncryptedRooms;
  /** Joins where needed. @throws RelayError */
  readonly enter: (roomId: string) => Promise<void>;
  /** What we synced says that it is encrypted. That it does not say so is no news: it may have been switched on since. */
  readonly syncedEncryption: (roomId: string) => boolean;
}

export class Sender {
  readonly #options: SenderOptions;

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  /** @throws RelayError, see MatrixPort.send */
  async send(send: RoomSend): Promise<{ readonly eventId: string }> {
    const bytes = Buffer.byteLength(JSON.stringify(send.content));
    if (bytes > MAX_EVENT_BYTES) {
      throw new RelayError('MATRIX_TOO_LARGE', `An event of ${bytes} bytes does not fit into Matrix (65536 bytes)`, {
        userText: 'too large for Matrix',
      });
    }
    await this.#options.enter(send.roomId);
    const target = send.type === 'm.room.redaction' ? asString(send.content.redacts) : null;
    // A redaction names an event and carries no content of anybody: it is plaintext in every room (its reason is not sent).
    const encrypted = target === null && (await this.#isEncrypted(send.roomId));
    const event = encrypted ? await this.#options.crypto.encrypt(send.roomId, send) : send;
    const address =
      target === null
        ? path`/rooms/${send.roomId}/send/${event.type}/${send.txnId}`
        : path`/rooms/${send.roomId}/redact/${target}/${send.txnId}`;
    const body = target === null ? event.content : {};
    return { eventId: await this.#put(address, body) };
  }

  /** @throws RelayError */
  async upload(media: MediaUpload): Promise<JsonObject> {
    const { data, file } = media.encrypt
      ? await this.#options.crypto.encryptFile(media.data)
      : { data: media.data, file: null };
    // An encrypted file tells the server neither name nor kind.
    const query = media.encrypt ? {} : { query: { filename: media.fileName } };
    const contentType = media.encrypt ? 'application/octet-stream' : media.mimeType;
    try {
      const answer = await this.#options.api.request('POST', '/_matrix/media/v3/upload', {
        body: data,
        contentType,
        timeoutMs: 120_000,
        ...query,
      });
      const url = asString(answer.content_uri);
      if (url === null) throw new HttpFailure('bad-answer', 'the upload answer holds no content_uri');
      return file === null ? { url } : { file: { ...file, url } };
    } catch (error) {
      throw toRelayError(error, 'upload a file');
    }
  }

  async #put(address: string, body: JsonObject): Promise<string> {
    try {
      const eventId = asString((await this.#options.api.request('PUT', address, { body })).event_id);
      if (eventId === null) throw new HttpFailure('bad-answer', 'the answer to a send holds no event id');
      return eventId;
    } catch (error) {
      throw toRelayError(error, 'send to the room');
    }
  }

  async #isEncrypted(roomId: string): Promise<boolean> {
    const { encryptedRooms, syncedEncryption } = this.#options;
    if (encryptedRooms.has(roomId)) return true;
    const encrypted = syncedEncryption(roomId) || (await this.#askEncryption(roomId));
    if (encrypted) encryptedRooms.add(roomId);
    return encrypted;
  }

  /** Asks the server. Only its clear word that there is no such state means "not encrypted". */
  async #askEncryption(roomId: string): Promise<boolean> {
    try {
      await this.#options.api.request('GET', path`/rooms/${roomId}/state/m.room.encryption/`);
      return true;
    } catch (error) {
      if (error instanceof HttpFailure && error.status === 404 && error.errcode === 'M_NOT_FOUND') return false;
      const failure = toRelayError(error, `learn whether room ${roomId} is encrypted`);
      if (failure.retry.kind !== 'never') throw failure;
      throw new RelayError('MATRIX_ROOM_UNKNOWN', `${failure.message}; nothing is sent until that is known`, {
        retry: RETRY_LATER,
        cause: error,
      });
    }
  }
}
