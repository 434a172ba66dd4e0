import {
  ClientEvent,
  createClient,
  EventType,
  type MatrixClient,
  MatrixEventEvent,
  MsgType,
  RoomEvent,
  SyncState,
} from 'matrix-js-sdk';
import { expect, it } from 'vitest';
import { createHomeserver, type Homeserver } from '../../../src/sandbox/homeserver/homeserver.ts';

const nothing = (): void => undefined;
const quiet = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing, getChild: () => quiet };

async function startedClient(server: Homeserver, name: string): Promise<MatrixClient> {
  const { userId, accessToken, deviceId } = server.registerUser(name, 'secret');
  const client = createClient({ baseUrl: server.baseUrl, logger: quiet, userId, accessToken, deviceId });
  await client.initRustCrypto({ useIndexedDB: false });
  const synced = new Promise<void>((resolve) => {
    client.on(ClientEvent.Sync, (state) => {
      if (state === SyncState.Prepared) resolve();
    });
  });
  await client.startClient();
  await synced;
  return client;
}

function nextText(client: MatrixClient, sender: string): Promise<string> {
  return new Promise((resolve) => {
    client.on(RoomEvent.Timeline, (event) => {
      if (event.getSender() !== sender) return;
      if (event.getType() === EventType.RoomMessage) resolve(event.getContent().body);
      event.on(MatrixEventEvent.Decrypted, (decrypted) => {
        if (!decrypted.isDecryptionFailure()) resolve(decrypted.getContent().body);
      });
    });
  });
}

it('carries an encrypted conversation between two clients of the SDK', async () => {
  const server = await createHomeserver();
  const alice = await startedClient(server, 'alice');
  const bob = await startedClient(server, 'bob');
  try {
    const joined = new Promise<void>((resolve) => {
      alice.on(RoomEvent.Timeline, (event) => {
        if (event.getStateKey() === bob.getUserId() && event.getContent().membership === 'join') resolve();
      });
    });
    const encryption = { type: 'm.room.encryption', state_key: '', content: { algorithm: 'm.megolm.v1.aes-sha2' } };
    const { room_id: roomId } = await alice.createRoom({ invite: [bob.getSafeUserId()], initial_state: [encryption] });
    await bob.joinRoom(roomId);
    await joined;
    const received = nextText(bob, alice.getSafeUserId());
    await alice.sendMessage(roomId, { msgtype: MsgType.Text, body: 'for your eyes' });
    expect(await received).toBe('for your eyes');
    expect(server.timeline(roomId).at(-1)).toMatchObject({ type: 'm.room.encrypted' });
    expect(JSON.stringify(server.timeline(roomId))).not.toContain('for your eyes');
  } finally {
    alice.stopClient();
    bob.stopClient();
    await server.close();
  }
});
