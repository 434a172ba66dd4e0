/**
 * The one road into a room, for events and their files. One per adapter; holds `encryptedRooms` and what is uploaded for
 * events that are not sent yet. Invariant: in a room that is encrypted, was ever, or of which we cannot tell, no plaintext leaves.
 */

import type { OutgoingMedia, RoomSend } from '../relay/ports.ts';
import type { JsonObject } from '../util/json.ts';
import { RETRY_LATER, RETRY_NEVER, RelayError } from '../util/relay-error.ts';
import { type ApiCall, type MatrixApi, path } from './api.ts';
import type { RoomCrypto } from './crypto/room-crypto.ts';
import { toRelayError } from './errors.ts';
import { HttpFailure } from './http.ts';
import { asObject, asObjects, asString } from './json-read.ts';
import type { RoomMemory } from './rooms/room-memory.ts';

/** Matrix specification, "Size limits": the whole event, of which the content is most. */
const MAX_EVENT_BYTES = 65_536;
/** Content key by which an event of ours is known again. In clear in encrypted rooms too: it is a number, and no more. */
const TXN_KEY = 'mmrelay_txn';
/** Files remembered as uploaded: one for each room that is trying to send one, and some more. */
const MAX_UPLOADED = 50;

/** Room ids once seen encrypted: for ever, so that neither a restart nor a lying server brings plaintext back. */
export interface EncryptedRooms {
  has(roomId: string): boolean;
  add(roomId: string): void;
}

export interface SenderOptions {
  readonly api: MatrixApi;
  readonly crypto: RoomCrypto;
  readonly encryptedRooms: EncryptedRooms;
  /** The device that sent last into each room. */
  readonly sentBy: RoomMemory;
  readonly account: () => { readonly userId: string; readonly deviceId: string | null } | null;
  /** Joins where needed. @throws RelayError */
  readonly enter: (roomId: string) => Promise<void>;
  /** What we synced says that it is encrypted. That it does not say so is no news: it may have been switched on since. */
  readonly syncedEncryption: (roomId: string) => boolean;
}

export class Sender {
  readonly #options: SenderOptions;
  /** By transaction id: the event may need more tries than its file. */
  readonly #uploaded = new Map<string, { readonly encrypted: boolean; readonly content: JsonObject }>();

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
    const earlier = await this.#sentByOtherDevice(send);
    if (earlier !== null) return { eventId: earlier };
    const target = send.type === 'm.room.redaction' ? asString(send.content.redacts) : null;
    // A redaction names an event and carries no content of anybody: it is plaintext in every room (its reason is not sent).
    const encrypted = target === null && (await this.#isEncrypted(send.roomId));
    const { type, media } = send;
    const content =
      media === undefined ? send.content : { ...send.content, ...(await this.#upload(send.txnId, media, encrypted)) };
    const event = encrypted ? await this.#options.crypto.encrypt(send.roomId, { type, content }) : { type, content };
    const address =
      target === null
        ? path`/rooms/${send.roomId}/send/${event.type}/${send.txnId}`
        : path`/rooms/${send.roomId}/redact/${target}/${send.txnId}`;
    const body = target === null ? { ...event.content, [TXN_KEY]: send.txnId } : {};
    const eventId = await this.#put(address, body);
    this.#uploaded.delete(send.txnId);
    return { eventId };
  }

  /**
   * A server knows a transaction id by the device that used it (client-server API 5.8): a new device would send again
   * what the old one has sent when its answer got lost. Rows leave in order, so that is at most one event per room.
   * @returns that event, if it is there
   */
  async #sentByOtherDevice({ roomId, txnId }: RoomSend): Promise<string | null> {
    const { sentBy, account } = this.#options;
    const { deviceId = null, userId = '' } = account() ?? {};
    const last = sentBy.get(roomId);
    if (deviceId === null || last === deviceId) return null;
    const eventId = last === null ? null : await this.#find(roomId, { userId, txnId });
    sentBy.set(roomId, deviceId);
    return eventId;
  }

  async #find(roomId: string, sent: { readonly userId: string; readonly txnId: string }): Promise<string | null> {
    const query = { dir: 'b', limit: '100', filter: JSON.stringify({ senders: [sent.userId] }) };
    try {
      const page = await this.#options.api.request('GET', path`/rooms/${roomId}/messages`, { query });
      const event = asObjects(page.chunk).find(({ content }) => asObject(content)[TXN_KEY] === sent.txnId);
      return asString(event?.event_id);
    } catch (error) {
      throw toRelayError(error, 'look for what another device of ours has sent');
    }
  }

  /** @returns `url`, or `file` when it is encrypted */
  async #upload(txnId: string, media: OutgoingMedia, encrypt: boolean): Promise<JsonObject> {
    const known = this.#uploaded.get(txnId);
    if (known?.encrypted === encrypt) return known.content;
    const content = encrypt ? await this.#uploadEncrypted(media.data) : await this.#uploadOpen(media);
    this.#uploaded.set(txnId, { encrypted: encrypt, content });
    const oldest = this.#uploaded.keys().next();
    if (this.#uploaded.size > MAX_UPLOADED && !oldest.done) this.#uploaded.delete(oldest.value);
    return content;
  }

  /** An encrypted file tells the server neither name nor kind. */
  async #uploadEncrypted(clear: Uint8Array): Promise<JsonObject> {
    const { data, file } = await this.#options.crypto.encryptFile(clear);
    return { file: { ...file, url: await this.#store({ body: data, contentType: 'application/octet-stream' }) } };
  }

  async #uploadOpen({ data, mimeType, fileName }: OutgoingMedia): Promise<JsonObject> {
    return { url: await this.#store({ body: data, contentType: mimeType, query: { filename: fileName } }) };
  }

  async #store(call: ApiCall): Promise<string> {
    try {
      const answer = await this.#options.api.request('POST', '/_matrix/media/v3/upload', {
        ...call,
        timeoutMs: 120_000,
      });
      const url = asString(answer.content_uri);
      if (url === null) throw new HttpFailure('bad-answer', 'the upload answer holds no content_uri');
      return url;
    } catch (error) {
      const failure = toRelayError(error, 'upload a file');
      if (failure.retry.kind !== 'never' || failure.code === 'MATRIX_TOO_LARGE') throw failure;
      // Whatever the server has against files, it is not the room that must wait for it.
      throw new RelayError('MATRIX_REFUSED', failure.message, { retry: RETRY_NEVER, cause: error });
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
