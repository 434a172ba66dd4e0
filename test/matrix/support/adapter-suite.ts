import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Credentials } from '../../../src/matrix/auth/credentials-file.ts';
import { createMatrix, type MatrixAdapter, type MatrixOptions } from '../../../src/matrix/client.ts';
import { forgetfulMemory } from '../../../src/matrix/rooms/room-memory.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { silentLogger } from '../../../src/util/logger.ts';
import { RelayError } from '../../../src/util/relay-error.ts';
import { type TestUser, testUser } from '../../support/test-user.ts';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { RecordingSink } from './recording-sink.ts';
import { upgradeRoom } from './upgrade-room.ts';

export interface SuiteServer {
  readonly baseUrl: string;
  readonly serverName: string;
  registerUser(
    name: string,
    password: string,
  ): Promise<{ readonly userId: string; readonly accessToken: string; readonly deviceId: string }>;
}

let users = 0;

interface Scene {
  readonly alice: TestUser;
  readonly bot: TestUser;
  readonly botName: string;
  readonly proxy: FaultProxy;
  readonly sink: RecordingSink;
  readonly saved: Credentials[];
  adapter(options?: Partial<MatrixOptions>): MatrixAdapter;
  /** Started, and past its first sync. */
  running(options?: Partial<MatrixOptions>, token?: string | null): Promise<MatrixAdapter>;
}

const text = (body: string) => ({ type: 'm.room.message', content: { msgtype: 'm.text', body } });

/** What the adapter promises, against any homeserver. Registers its tests; call inside `describe`. */
export function adapterSuite(server: () => SuiteServer): void {
  let scene: Scene;
  let cleanup: (() => Promise<void>)[] = [];

  beforeEach(async () => {
    const botName = `bot${users++}`;
    const { baseUrl } = server();
    const alice = testUser(baseUrl, await server().registerUser(`alice${users}`, 'secret-a'));
    const bot = testUser(baseUrl, await server().registerUser(botName, 'secret-b'));
    const proxy = await startFaultProxy(baseUrl);
    const sink = new RecordingSink();
    const saved: Credentials[] = [];
    cleanup = [() => proxy.close()];
    const adapter = (options: Partial<MatrixOptions> = {}): MatrixAdapter => {
      const made = createMatrix({
        credentials: {
          homeserver: proxy.url,
          accessToken: bot.accessToken,
          deviceId: bot.deviceId,
          userId: bot.userId,
        },
        login: null,
        saveCredentials: (credentials) => saved.push(credentials),
        rooms: [],
        clock: systemClock,
        logger: silentLogger,
        random: () => 0,
        requestTimeoutMs: 10_000,
        ...options,
      });
      cleanup.unshift(() => made.stop());
      return made;
    };
    const running = async (options?: Partial<MatrixOptions>, token: string | null = null): Promise<MatrixAdapter> => {
      const made = adapter(options);
      const before = sink.batches.length;
      made.start(sink, token);
      await sink.until(() => sink.batches.length > before && sink.states.at(-1)?.status === 'syncing');
      return made;
    };
    scene = { alice, bot, botName, proxy, sink, saved, adapter, running };
  });

  afterEach(async () => {
    for (const step of cleanup) await step();
  });

  /** A room of Alice's with the bot in it. */
  const sharedRoom = async (options: object = {}): Promise<string> => {
    const roomId = await scene.alice.createRoom({ preset: 'public_chat', name: 'Mesh', ...options });
    await scene.bot.call('POST', `/join/${encodeURIComponent(roomId)}`, {});
    return roomId;
  };

  it('calls history initial, then hands out news in order with names', async () => {
    const { alice, sink, running } = scene;
    const roomId = await sharedRoom();
    await alice.call('PUT', `/profile/${alice.userId}/displayname`, { displayname: 'Alice A' });
    await alice.say(roomId, 'history');
    const adapter = await running({ rooms: [roomId] });
    expect(sink.batches[0]?.initial).toBe(true);
    for (const body of ['one', 'two', 'three']) await alice.say(roomId, body);
    await sink.until(() => sink.bodies(roomId).length === 3);
    expect(sink.bodies(roomId)).toEqual(['one', 'two', 'three']);
    expect(sink.events(roomId).at(-1)).toMatchObject({ sender: alice.userId, senderName: 'Alice A', encrypted: false });
    expect(adapter.room(roomId)).toEqual({ roomId, name: 'Mesh', joined: true, encrypted: false, memberCount: 2 });
    expect(adapter.powerLevel(roomId, alice.userId)).toBeGreaterThanOrEqual(100);
    expect(adapter.powerLevel(roomId, '@nobody:example.org')).toBe(0);
    expect(adapter.retainedEvents()).toBe(0);
  });

  it('catches up 250 messages of its absence through a limited timeline, each once, in order', async () => {
    const { alice, sink, running } = scene;
    const roomId = await sharedRoom();
    const first = await running({ rooms: [roomId] });
    await first.stop();
    const token = sink.token();
    const expected = Array.from({ length: 250 }, (_, i) => `message ${i}`);
    for (const body of expected) await alice.say(roomId, body);
    const second = await running({ rooms: [roomId] }, token);
    await sink.until(() => sink.bodies(roomId).length >= 250);
    expect(sink.bodies(roomId)).toEqual(expected);
    expect(sink.batches.at(-1)?.gaps).toEqual([]);
    const local = alice.userId.slice(1, alice.userId.indexOf(':'));
    const names = new Set(sink.batches.at(-1)?.events.map((event) => event.senderName));
    expect(names).toEqual(new Set([local]));
    // The state came with the catch-up although the token was no new one.
    expect(second.room(roomId)).toMatchObject({ name: 'Mesh', encrypted: false });
  });

  it('names a room whose gap is larger than the limit, and keeps the newest', async () => {
    const { alice, sink, running } = scene;
    const roomId = await sharedRoom();
    await (await running({ rooms: [roomId] })).stop();
    const token = sink.token();
    for (let i = 0; i < 220; i += 1) await alice.say(roomId, `message ${i}`);
    await running({ rooms: [roomId], maxBackfillEvents: 50 }, token);
    await sink.until(() => sink.bodies(roomId).length > 0);
    expect(sink.batches.at(-1)?.gaps).toEqual([roomId]);
    expect(sink.bodies(roomId).at(-1)).toBe('message 219');
  });

  it('offers the same batch again until the sink takes it, and keeps the token back meanwhile', async () => {
    const { alice, sink, running } = scene;
    const roomId = await sharedRoom();
    await running({ rooms: [roomId] });
    const before = sink.token();
    sink.refusals = [new Error('disk full'), new Error('disk full')];
    await alice.say(roomId, 'keep me');
    await sink.until(() => sink.states.some((state) => state.reason?.includes('disk full')));
    expect(sink.token()).toBe(before);
    await sink.until(() => sink.bodies(roomId).length === 1);
    await sink.until(() => sink.states.at(-1)?.status === 'syncing');
    expect(sink.bodies(roomId)).toEqual(['keep me']);
  });

  it('begins anew when the server does not know its token, and misses nothing', async () => {
    const { alice, sink, running } = scene;
    const roomId = await sharedRoom();
    for (let i = 0; i < 15; i += 1) await alice.say(roomId, `meanwhile ${i}`);
    await running({ rooms: [roomId] }, 'no-such-token');
    expect(sink.batches[0]).toMatchObject({ initial: false, gaps: [] });
    expect(sink.bodies(roomId)).toEqual(Array.from({ length: 15 }, (_, i) => `meanwhile ${i}`));
  });

  it('asks which rooms it is in before it joins one', async () => {
    const { proxy, adapter, sink } = scene;
    const rooms = [await sharedRoom(), await sharedRoom()];
    const made = adapter({ rooms });
    proxy.fault('hang', /\/sync/);
    made.start(sink, null);
    while (
      await made.resolveRoom(rooms[0] ?? '').then(
        () => false,
        (error) => error.code === 'MATRIX_NOT_READY',
      )
    ) {
      await new Promise(setImmediate);
    }
    expect(await made.resolveRoom(rooms[1] ?? '')).toBe(rooms[1]);
    expect(proxy.seen.filter((line) => line.includes('/join/'))).toEqual([]);
  });

  it('sends once what is sent twice with one transaction id, the first answer being lost', async () => {
    const { alice, proxy, running } = scene;
    const roomId = await sharedRoom();
    const adapter = await running({ rooms: [roomId] });
    const send = { roomId, ...text('only once'), txnId: 'row-1' };
    proxy.fault('drop-answer', /\/send\//);
    await expect(adapter.send(send)).rejects.toMatchObject({
      code: 'MATRIX_UNAVAILABLE',
      retry: { kind: 'later' },
      certain: false,
    });
    proxy.fault('none');
    const { eventId } = await adapter.send(send);
    await adapter.send(send);
    expect(await alice.bodies(roomId)).toEqual(['only once']);
    await adapter.send({ roomId, type: 'm.room.redaction', content: { redacts: eventId }, txnId: 'row-2' });
    expect(await alice.bodies(roomId)).toEqual(['undefined']);
  });

  it('joins alias rooms, waits after a failure, and succeeds when the alias appears', async () => {
    const { alice, sink, proxy, running } = scene;
    const local = `mesh-${users}`;
    const alias = `#${local}:${server().serverName}`;
    const adapter = await running({ rooms: [alias] });
    const failure = await adapter.resolveRoom(alias).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(RelayError);
    expect(failure).toMatchObject({ code: 'MATRIX_NOT_FOUND', retry: { kind: 'after' } });
    expect(adapter.state().reason).toContain(alias);
    proxy.seen.length = 0;
    for (let i = 0; i < 20; i += 1) await expect(adapter.resolveRoom(alias)).rejects.toThrow(alias);
    expect(proxy.seen.filter((line) => line.includes('/directory/'))).toEqual([]);
    const roomId = await alice.createRoom({ preset: 'public_chat', room_alias_name: local });
    const patient = await running({ rooms: [alias] });
    expect(await patient.resolveRoom(alias)).toBe(roomId);
    await sink.until(() => patient.room(roomId) !== null);
    await patient.send({ roomId, ...text('hello'), txnId: 'a1' });
    expect(await alice.bodies(roomId)).toEqual(['hello']);
  });

  it('follows invites to mapped rooms, by id and by alias, and no others; no history from before its time', async () => {
    const { alice, bot, sink, running } = scene;
    const invite = (roomId: string) =>
      alice.call('POST', `/rooms/${encodeURIComponent(roomId)}/invite`, { user_id: bot.userId });
    const local = `private-${users}`;
    const byId = await alice.createRoom({ preset: 'private_chat' });
    const byAlias = await alice.createRoom({ preset: 'private_chat', room_alias_name: local });
    const stranger = await alice.createRoom({ preset: 'private_chat' });
    await alice.say(byId, 'before you came');
    const adapter = await running({ rooms: [byId, `#${local}:${server().serverName}`] });
    for (const roomId of [stranger, byId, byAlias]) await invite(roomId);
    await sink.until(() => adapter.room(byId) !== null && adapter.room(byAlias) !== null);
    await alice.say(byId, 'after you came');
    await sink.until(() => sink.bodies(byId).length > 0);
    expect(sink.bodies(byId)).toEqual(['after you came']);
    expect(adapter.room(stranger)).toBeNull();
    expect((await bot.call('GET', '/joined_rooms')).joined_rooms).not.toContain(stranger);
  });

  it('does not send again, as another device, what the old one has sent without an answer', async () => {
    const { alice, bot, botName, proxy, adapter, sink } = scene;
    const roomId = await sharedRoom();
    const sentBy = forgetfulMemory();
    const first = await scene.running({ rooms: [roomId], sentBy });
    await first.send({ roomId, ...text('before'), txnId: 'd0' });
    proxy.fault('drop-answer', /\/send\//);
    await expect(first.send({ roomId, ...text('uncertain'), txnId: 'd1' })).rejects.toThrow();
    await first.stop();
    proxy.fault('none');
    const identifier = { type: 'm.id.user', user: botName };
    const login = await bot.call('POST', '/login', { type: 'm.login.password', identifier, password: 'secret-b' });
    const { access_token: accessToken, device_id: deviceId } = login as Record<string, string>;
    const credentials = { homeserver: proxy.url, accessToken, deviceId, userId: bot.userId } as Credentials;
    const second = adapter({ rooms: [roomId], sentBy, credentials });
    second.start(sink, null);
    await sink.until(() => second.state().status === 'syncing');
    const { eventId } = await second.send({ roomId, ...text('uncertain'), txnId: 'd1' });
    await second.send({ roomId, ...text('after'), txnId: 'd2' });
    expect(await alice.bodies(roomId)).toEqual(['before', 'uncertain', 'after']);
    expect(eventId).toMatch(/^\$/);
  });

  it('follows an upgraded room, with what was said last in the old one, and after a restart as well', async () => {
    const { alice, sink, running } = scene;
    const roomId = await sharedRoom();
    const memory = forgetfulMemory();
    const encrypted = new Set([roomId]);
    const options = { rooms: [roomId], upgradedRooms: memory, encryptedRooms: encrypted };
    const adapter = await running(options);
    await alice.say(roomId, 'last words');
    const successor = await upgradeRoom(alice, roomId);
    await sink.until(() => adapter.currentRoom(roomId) === successor);
    await sink.until(() => sink.bodies(roomId).includes('last words'));
    expect(await adapter.resolveRoom(roomId)).toBe(successor);
    await sink.until(() => adapter.room(successor) !== null);
    await alice.say(successor, 'first words');
    await sink.until(() => sink.bodies(successor).includes('first words'));
    expect(encrypted).toContain(successor);
    await adapter.stop();

    const again = await running({ ...options, encryptedRooms: new Set() }, sink.token());
    expect(await again.resolveRoom(roomId)).toBe(successor);
    await again.send({ roomId: successor, ...text('moved'), txnId: 'u1' });
    expect(await alice.bodies(successor)).toContain('moved');
  });

  it('follows an alias to another room', async () => {
    const { alice, sink, running } = scene;
    const local = `moving-${users}`;
    const alias = `#${local}:${server().serverName}`;
    const before = await sharedRoom({ room_alias_name: local });
    const after = await alice.createRoom({ preset: 'public_chat' });
    const adapter = await running({ rooms: [alias] });
    expect(await adapter.resolveRoom(alias)).toBe(before);
    const directory = `/directory/room/${encodeURIComponent(alias)}`;
    await alice.call('DELETE', directory);
    await alice.call('PUT', directory, { room_id: after });
    await alice.call('PUT', `/rooms/${encodeURIComponent(before)}/state/m.room.canonical_alias/`, {});
    await sink.until(() => sink.moved.get(alias) === after);
    expect(await adapter.resolveRoom(alias)).toBe(after);
    await alice.say(after, 'here now');
    await sink.until(() => sink.bodies(after).includes('here now'));
  });

  it('puts no plaintext into an encrypted room, nor into one that was switched a moment ago', async () => {
    const { alice, proxy, running } = scene;
    const encryption = { algorithm: 'm.megolm.v1.aes-sha2' };
    const roomId = await sharedRoom({
      initial_state: [{ type: 'm.room.encryption', state_key: '', content: encryption }],
    });
    const later = await sharedRoom();
    const adapter = await running({ rooms: [roomId, later] });
    proxy.seen.length = 0;
    const refusal = { code: 'MATRIX_ENCRYPTED_ROOM', retry: { kind: 'never' } };
    await expect(adapter.send({ roomId, ...text('x'), txnId: 'e1' })).rejects.toMatchObject(refusal);
    await adapter.stop();
    await alice.call('PUT', `/rooms/${encodeURIComponent(later)}/state/m.room.encryption/`, encryption);
    // Stopped syncing, so its picture is old: it has to ask.
    const blind = scene.adapter({ rooms: [later] });
    proxy.fault('hang', /\/sync/);
    blind.start(scene.sink, null);
    await scene.sink.until(() => blind.userId() !== null);
    await expect(
      (async () => {
        for (;;) {
          const outcome = await blind
            .send({ roomId: later, ...text('x'), txnId: 'e2' })
            .catch((error: unknown) => error);
          if (outcome instanceof RelayError && outcome.code === 'MATRIX_NOT_READY') await new Promise(setImmediate);
          else return outcome;
        }
      })(),
    ).resolves.toMatchObject(refusal);
    expect(proxy.seen.filter((line) => line.includes('/send/'))).toEqual([]);
  });

  it.each(['unknown-token', 'device-gone'] as const)('logs in again, on a device that is there: %s', async (fault) => {
    const { alice, bot, botName, proxy, sink, saved, running } = scene;
    const roomId = await sharedRoom();
    const login = { homeserver: proxy.url, user: botName, password: 'secret-b', deviceName: 'mmrelay' };
    const adapter = await running({
      rooms: [roomId],
      login,
      saveCredentials: (credentials) => {
        saved.push(credentials);
        proxy.fault('none');
      },
    });
    proxy.fault(fault, /\/sync/);
    await alice.say(roomId, 'ends the poll');
    await sink.until(() => sink.bodies(roomId).length === 1);
    await adapter.send({ roomId, ...text('yes'), txnId: 'l0' });
    await sink.until(() => saved.length > 0);
    expect(saved[0]).toMatchObject({ userId: bot.userId, homeserver: proxy.url });
    expect(saved[0]?.deviceId === bot.deviceId).toBe(fault === 'unknown-token');
    expect(saved[0]?.accessToken).not.toBe(bot.accessToken);
    await alice.say(roomId, 'still there?');
    await sink.until(() => sink.bodies(roomId).length === 3);
    await adapter.send({ roomId, ...text('yes'), txnId: 'l1' });
    expect(await alice.bodies(roomId)).toEqual(['ends the poll', 'yes', 'still there?', 'yes']);
  });

  it('starts while the homeserver is down, says why, and logs in when it is back', async () => {
    const { bot, botName, proxy, sink, saved, adapter } = scene;
    proxy.fault('html-502');
    const login = { homeserver: proxy.url, user: botName, password: 'secret-b', deviceName: 'mmrelay' };
    const made = adapter({ credentials: null, login });
    made.start(sink, null);
    await sink.until(() => sink.states.some((state) => state.status === 'backing-off' && state.attempts >= 2));
    expect(sink.states.at(-1)?.reason).toContain('502');
    expect(proxy.seen.length).toBeLessThan(10);
    proxy.fault('none');
    await sink.until(() => sink.states.at(-1)?.status === 'syncing');
    expect(made.userId()).toBe(bot.userId);
    expect(saved[0]?.userId).toBe(bot.userId);
  });

  it('misses nothing over an outage in the middle of the poll', async () => {
    const { alice, proxy, sink, running } = scene;
    const roomId = await sharedRoom();
    await running({ rooms: [roomId] });
    for (const kind of ['reset', 'html-502', 'rate-limit'] as const) {
      proxy.fault(kind, /\/sync/);
      await alice.say(roomId, kind);
      await sink.until(() => sink.states.at(-1)?.status === 'backing-off' || sink.bodies(roomId).includes(kind));
      proxy.fault('none');
      await sink.until(() => sink.bodies(roomId).includes(kind));
    }
    expect(sink.bodies(roomId)).toEqual(['reset', 'html-502', 'rate-limit']);
  });

  it('stops within two seconds in the middle of a long poll', async () => {
    const adapter = await scene.running();
    const startedMs = performance.now();
    await adapter.stop();
    expect(performance.now() - startedMs).toBeLessThan(2000);
    expect(adapter.state().status).toBe('stopped');
  });
}
