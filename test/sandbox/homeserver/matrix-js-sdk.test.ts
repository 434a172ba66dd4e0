import { ClientEvent, createClient, EventType, MsgType, RoomEvent, SyncState } from 'matrix-js-sdk';
import { expect, it } from 'vitest';
import { createHomeserver } from '../../../src/sandbox/homeserver/homeserver.ts';

const nothing = (): void => undefined;
const quiet = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing, getChild: () => quiet };

it('lets a matrix-js-sdk client log in, sync, send and receive', async () => {
  const server = await createHomeserver();
  server.registerUser('alice', 'secret');
  const bob = server.registerUser('bob', 'secret');
  const login = await createClient({ baseUrl: server.baseUrl, logger: quiet }).loginRequest({
    type: 'm.login.password',
    identifier: { type: 'm.id.user', user: 'alice' },
    password: 'secret',
  });
  const client = createClient({
    baseUrl: server.baseUrl,
    logger: quiet,
    userId: login.user_id,
    accessToken: login.access_token,
    deviceId: login.device_id,
  });
  try {
    const synced = new Promise<void>((resolve) => {
      client.on(ClientEvent.Sync, (state) => {
        if (state === SyncState.Prepared) resolve();
      });
    });
    await client.startClient({ initialSyncLimit: 5 });
    await synced;
    const { room_id: roomId } = await client.createRoom({ name: 'Den' });
    const received = new Promise<string>((resolve) => {
      client.on(RoomEvent.Timeline, (event) => {
        if (event.getSender() === bob.userId && event.getType() === EventType.RoomMessage)
          resolve(event.getContent().body);
      });
    });
    const { event_id: eventId } = await client.sendMessage(roomId, { msgtype: MsgType.Text, body: 'hello' }, 'txn-1');
    expect(server.timeline(roomId).at(-1)).toMatchObject({ eventId, content: { body: 'hello' } });
    server.inject(roomId, {
      type: 'm.room.message',
      sender: bob.userId,
      content: { msgtype: 'm.text', body: 'hi back' },
    });
    expect(await received).toBe('hi back');
  } finally {
    client.stopClient();
    await server.close();
  }
});
