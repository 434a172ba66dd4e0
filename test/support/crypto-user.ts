import { createDecipheriv, createHash } from 'node:crypto';
import {
  ClientEvent,
  createClient,
  EventType,
  type MatrixClient,
  type MatrixEvent,
  MatrixEventEvent,
  MsgType,
  Preset,
  RoomEvent as SdkRoomEvent,
  type StateEvents,
} from 'matrix-js-sdk';
import { sdkLogger } from '../../src/matrix/sdk-logger.ts';
import type { JsonObject } from '../../src/util/json.ts';
import { silentLogger } from '../../src/util/logger.ts';

export interface Heard {
  readonly id: string;
  readonly sender: string;
  readonly type: string;
  readonly content: JsonObject;
  /** What the server holds. */
  readonly wire: JsonObject;
  readonly encrypted: boolean;
}

/** A person at a client that encrypts (matrix-js-sdk, keys in memory). */
export interface CryptoUser {
  readonly client: MatrixClient;
  readonly userId: string;
  /** Everything read so far in all rooms, in order of reading; own events too. */
  readonly heard: Heard[];
  /** Event ids that could not be read, and not yet since. */
  readonly unread: Map<string, string>;
  createRoom(options: { readonly encrypted: boolean; readonly invite?: readonly string[] }): Promise<string>;
  encryptRoom(roomId: string): Promise<void>;
  send(roomId: string, content: JsonObject, type?: string): Promise<string>;
  say(roomId: string, body: string): Promise<string>;
  /** Keeps back the keys it sends from now on; the returned function lets them go. */
  holdKeys(): () => Promise<void>;
  /** Waits until the device of this user has published its keys. */
  sees(user: UserSession): Promise<void>;
  /** Waits for a condition on what is heard. */
  until(condition: () => boolean): Promise<void>;
  /** Waits until somebody says this in any room. */
  hears(body: string): Promise<Heard>;
  stop(): void;
}

interface UserSession {
  readonly userId: string;
  readonly accessToken: string;
  readonly deviceId: string;
}

export async function cryptoUser(baseUrl: string, user: UserSession): Promise<CryptoUser> {
  const { userId, accessToken, deviceId } = user;
  const held = new HeldKeys();
  const fetchFn: typeof fetch = (input, init) => held.fetch(String(input), init);
  const client = createClient({ baseUrl, userId, accessToken, deviceId, fetchFn, logger: sdkLogger(silentLogger) });
  await client.initRustCrypto({ useIndexedDB: false });
  const heard: Heard[] = [];
  const unread = new Map<string, string>();
  const waiting = new Set<() => void>();
  const note = (event: MatrixEvent): void => {
    const id = event.getId() ?? '';
    if (event.isDecryptionFailure()) unread.set(id, event.decryptionFailureReason ?? 'unknown');
    else if (!event.isBeingDecrypted() && event.getClearContent() !== null) {
      unread.delete(id);
      heard.push(toHeard(event));
    }
    for (const look of waiting) look();
  };
  client.on(MatrixEventEvent.Decrypted, note);
  client.on(SdkRoomEvent.Timeline, (event) => {
    if (event.isEncrypted() || event.isState()) return;
    heard.push(toHeard(event));
    for (const look of waiting) look();
  });
  await client.startClient({ initialSyncLimit: 100 });
  const until = (condition: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!condition()) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  const send: CryptoUser['send'] = async (roomId, content, type = EventType.RoomMessage) => {
    await knowsRoom(client, roomId);
    return (await client.sendEvent(roomId, type as EventType.RoomMessage, content as never)).event_id;
  };
  return {
    client,
    userId,
    heard,
    unread,
    until,
    send,
    holdKeys: () => held.hold(),
    sees: (other) => seesDevice(client, other),
    createRoom: async ({ encrypted, invite = [] }) => {
      const state = encrypted ? [{ type: EventType.RoomEncryption, state_key: '', content: ENCRYPTION }] : [];
      const options = { preset: Preset.PublicChat, name: 'Mesh', invite: [...invite], initial_state: state };
      return (await client.createRoom(options)).room_id;
    },
    encryptRoom: async (roomId) => {
      await client.sendStateEvent(roomId, EventType.RoomEncryption, ENCRYPTION, '');
    },
    say: (roomId, body) => send(roomId, { msgtype: MsgType.Text, body }),
    hears: async (body) => {
      const found = (): Heard | undefined => heard.find(({ content }) => content.body === body);
      await until(() => found() !== undefined);
      return found() as Heard;
    },
    stop: () => client.stopClient(),
  };
}

/** Makes a new session often, so that a test meets many. */
const ENCRYPTION: StateEvents[EventType.RoomEncryption] = {
  algorithm: 'm.megolm.v1.aes-sha2' as never,
  rotation_period_msgs: 4,
};

/** To-device messages on their way out. */
class HeldKeys {
  #waiting: (() => Promise<Response>)[] | null = null;

  hold(): () => Promise<void> {
    const waiting: (() => Promise<Response>)[] = [];
    this.#waiting = waiting;
    return async () => {
      this.#waiting = null;
      for (const send of waiting) await send();
    };
  }

  async fetch(address: string, init?: RequestInit): Promise<Response> {
    if (this.#waiting === null || !address.includes('/sendToDevice/m.room.encrypted')) return fetch(address, init);
    const { signal: _signal, ...rest } = init ?? {};
    this.#waiting.push(() => fetch(address, rest));
    return new Response('{}', { headers: { 'Content-Type': 'application/json' } });
  }
}

function toHeard(event: MatrixEvent): Heard {
  return {
    id: event.getId() ?? '',
    sender: event.getSender() ?? '',
    type: event.getType(),
    content: event.getContent() as JsonObject,
    wire: event.getWireContent() as JsonObject,
    encrypted: event.isEncrypted(),
  };
}

async function seesDevice(client: MatrixClient, user: UserSession): Promise<void> {
  for (;;) {
    const answer = await client.downloadKeysForUsers([user.userId]);
    if (answer.device_keys[user.userId]?.[user.deviceId] !== undefined) break;
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  const crypto = client.getCrypto();
  while (!(await crypto?.getUserDeviceInfo([user.userId], true))?.get(user.userId)?.has(user.deviceId)) {
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}

/** The SDK sends plaintext into a room that it has not synced yet. */
async function knowsRoom(client: MatrixClient, roomId: string): Promise<void> {
  while (client.getRoom(roomId) === null) {
    await new Promise<void>((resolve) => client.once(ClientEvent.Sync, () => resolve()));
  }
}

/** Reads a file as a client does that knows nothing but the specification. */
export async function openAttachment(
  { client }: CryptoUser,
  file: { url: string; iv: string; key: { k: string }; hashes: { sha256: string } },
): Promise<Buffer> {
  const url = `${client.baseUrl}/_matrix/client/v1/media/download/${file.url.replace('mxc://', '')}`;
  const answer = await fetch(url, { headers: { Authorization: `Bearer ${client.getAccessToken()}` } });
  const data = Buffer.from(await answer.arrayBuffer());
  const hash = createHash('sha256').update(data).digest('base64').replace(/=+$/, '');
  if (hash !== file.hashes.sha256) throw new Error('the hash is wrong');
  const key = Buffer.from(file.key.k, 'base64url');
  const decipher = createDecipheriv('aes-256-ctr', key, Buffer.from(file.iv, 'base64'));
  return Buffer.concat([decipher.update(data), decipher.final()]);
}
