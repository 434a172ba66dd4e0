/**
 * A person at a Matrix client that encrypts, keys in memory: the second client of the demo. Holds one running SDK client.
 */

import type { MatrixClient, MatrixEvent } from 'matrix-js-sdk';
import { silentLogger } from '../../util/logger.ts';
import { loadSdk, sdkLogger } from '../sdk-logger.ts';

export interface EncryptingUserOptions {
  readonly baseUrl: string;
  readonly userId: string;
  readonly deviceId: string;
  readonly accessToken: string;
  /** A message or reaction of somebody else, decrypted. */
  readonly onMessage: (message: ReadMessage) => void;
}

export interface ReadMessage {
  readonly roomId: string;
  readonly eventId: string;
  readonly sender: string;
  /** Of a reaction its emoji. */
  readonly body: string;
  readonly isReaction: boolean;
}

export interface EncryptingUser {
  /** A public room, encrypted from the start. Returns its id. */
  createRoom(room: { readonly name: string; readonly aliasLocalpart: string }): Promise<string>;
  /** Returns the event id. */
  say(roomId: string, body: string): Promise<string>;
  /** True when this member is in the room and keys can be sent to a device of theirs. */
  canReach(roomId: string, userId: string): Promise<boolean>;
  stop(): void;
}

/** Starts a client for a session that has no keys yet. */
export async function startEncryptingUser(options: EncryptingUserOptions): Promise<EncryptingUser> {
  const sdk = await loadSdk();
  const { userId, onMessage } = options;
  const client = sdk.createClient({ ...options, logger: sdkLogger(silentLogger), disableVoip: true });
  await client.initRustCrypto({ useIndexedDB: false });
  client.on(sdk.MatrixEventEvent.Decrypted, (event) => {
    const message = readMessage(event);
    if (message !== null && message.sender !== userId) onMessage(message);
  });
  await client.startClient({ initialSyncLimit: 1 });
  return {
    createRoom: async ({ name, aliasLocalpart }) => {
      const encryption = { algorithm: 'm.megolm.v1.aes-sha2' };
      const { room_id } = await client.createRoom({
        preset: sdk.Preset.PublicChat,
        name,
        room_alias_name: aliasLocalpart,
        initial_state: [{ type: sdk.EventType.RoomEncryption, state_key: '', content: encryption }],
      });
      return room_id;
    },
    say: async (roomId, body) => (await client.sendTextMessage(roomId, body)).event_id,
    canReach: (roomId, other) => canReach(client, roomId, other),
    stop: () => client.stopClient(),
  };
}

async function canReach(client: MatrixClient, roomId: string, userId: string): Promise<boolean> {
  if (client.getRoom(roomId)?.getMember(userId)?.membership !== 'join') return false;
  const devices = await client.getCrypto()?.getUserDeviceInfo([userId], true);
  return (devices?.get(userId)?.size ?? 0) > 0;
}

/** null while it is not readable, and for what is no text. */
function readMessage(event: MatrixEvent): ReadMessage | null {
  if (event.isBeingDecrypted() || event.isDecryptionFailure()) return null;
  const isReaction = event.getType() === 'm.reaction';
  if (!isReaction && event.getType() !== 'm.room.message') return null;
  const body: unknown = isReaction ? event.getRelation()?.key : event.getContent().body;
  const [roomId, eventId, sender] = [event.getRoomId(), event.getId(), event.getSender()];
  if (roomId === undefined || eventId === undefined || sender === undefined || typeof body !== 'string') return null;
  return { roomId, eventId, sender, body, isReaction };
}
