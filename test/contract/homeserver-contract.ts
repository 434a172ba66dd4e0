import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Answer,
  bodies,
  Client,
  type ContractFactory,
  type ContractServer,
  enc,
  type NewClient,
  V3,
} from './homeserver-client.ts';
import { cryptoCases, deviceCases, uploadCases } from './homeserver-crypto-contract.ts';

/** What every homeserver that we talk to has to do. Run against the double in npm test, against Synapse in e2e. */
export function homeserverContract(name: string, factory: ContractFactory): void {
  describe(`${name}: no rate limits`, () => {
    let server: ContractServer;
    let count = 0;
    const client = async (): Promise<Client> => {
      count += 1;
      return new Client(server, await server.registerUser(`user${count}`, `secret${count}`));
    };
    beforeAll(async () => {
      server = await factory({ rateLimits: 'off' });
    });
    afterAll(() => server.stop());
    sendingCases(client);
    syncCases(client);
    roomCases(client);
    deviceCases(client);
    uploadCases(client);
    cryptoCases(client);
    accountCases(client);
  });
  rateLimitCases(name, factory);
}

function sendingCases(client: NewClient): void {
  it('gives the same event id for the same transaction id, and one event', async () => {
    const alice = await client();
    const room = await alice.createRoom();
    const first = await alice.send(room, 'once', 'txn-1');
    const second = await alice.send(room, 'once', 'txn-1');
    expect(second.body.event_id).toBe(first.body.event_id);
    const { rooms } = await alice.sync();
    const events = rooms.join[room].timeline.events.filter((event: Answer['body']) => event.content.body === 'once');
    expect(events).toHaveLength(1);
    expect(events[0].unsigned.transaction_id).toBe('txn-1');
  });

  it('redacts: content gone, redacted_because there, again with the same transaction id', async () => {
    const alice = await client();
    const room = await alice.createRoom();
    const { event_id: target } = (await alice.send(room, 'regret')).body;
    const path = `${V3}/rooms/${enc(room)}/redact/${enc(target)}/r1`;
    const first = await alice.ok('PUT', path, { reason: 'oops' });
    expect(await alice.ok('PUT', path, { reason: 'oops' })).toEqual(first);
    const event = await alice.ok('GET', `${V3}/rooms/${enc(room)}/event/${enc(target)}`);
    expect(event.content).toEqual({});
    expect(event.unsigned.redacted_because.type).toBe('m.room.redaction');
    expect(event.unsigned.redacted_because.event_id).toBe(first.event_id);
  });

  it('knows relations and shows the latest edit', async () => {
    const alice = await client();
    const room = await alice.createRoom();
    const { event_id: target } = (await alice.send(room, 'v1')).body;
    const edit = {
      'm.new_content': { msgtype: 'm.text', body: 'v2' },
      'm.relates_to': { rel_type: 'm.replace', event_id: target },
    };
    await alice.send(room, '* v2', randomUUID(), edit);
    const reaction = { 'm.relates_to': { rel_type: 'm.annotation', event_id: target, key: '👍' } };
    await alice.ok('PUT', `${V3}/rooms/${enc(room)}/send/m.reaction/x1`, reaction);
    const base = `/_matrix/client/v1/rooms/${enc(room)}/relations/${enc(target)}`;
    const annotations = (await alice.ok('GET', `${base}/m.annotation`)).chunk;
    expect(annotations.map((event: Answer['body']) => event.content['m.relates_to'].key)).toEqual(['👍']);
    const event = await alice.ok('GET', `${V3}/rooms/${enc(room)}/event/${enc(target)}`);
    expect(event.unsigned['m.relations']['m.replace'].content['m.new_content'].body).toBe('v2');
  });

  it('refuses a sender without the power, and a stranger', async () => {
    const [alice, bob] = [await client(), await client()];
    const levels = { events: { 'm.room.message': 50 } };
    const room = await alice.createRoom({ preset: 'public_chat', power_level_content_override: levels });
    expect(await bob.send(room, 'x')).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } });
    await bob.ok('POST', `${V3}/join/${enc(room)}`, {});
    expect(await bob.send(room, 'x')).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } });
    const named = await bob.call('PUT', `${V3}/rooms/${enc(room)}/state/m.room.name`, { name: 'mine' });
    expect(named).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } });
    expect((await alice.send(room, 'y')).status).toBe(200);
  });

  it('refuses an event that is too large', async () => {
    const alice = await client();
    const room = await alice.createRoom();
    expect(await alice.send(room, 'x'.repeat(70_000))).toMatchObject({ status: 413, body: { errcode: 'M_TOO_LARGE' } });
  });
}

function syncCases(client: NewClient): void {
  it('moves the sync token on, shows each event once, and repeats for an old token', async () => {
    const alice = await client();
    const room = await alice.createRoom();
    const start = await alice.sync();
    await alice.send(room, 'one');
    const first = await alice.sync({ since: start.next_batch });
    await alice.send(room, 'two');
    const second = await alice.sync({ since: first.next_batch });
    expect(bodies(first.rooms.join[room].timeline.events)).toEqual(['one']);
    expect(bodies(second.rooms.join[room].timeline.events)).toEqual(['two']);
    expect((await alice.sync({ since: second.next_batch })).rooms?.join?.[room]).toBeUndefined();
    const again = await alice.sync({ since: start.next_batch, timeout: '1' });
    expect(bodies(again.rooms.join[room].timeline.events)).toEqual(['one', 'two']);
    const cached = await alice.sync({ since: start.next_batch });
    expect(bodies(cached.rooms.join[room].timeline.events), 'the same request gets its old answer').toEqual(['one']);
  });

  it('answers a long poll when an event comes', async () => {
    const alice = await client();
    const room = await alice.createRoom();
    const start = await alice.sync();
    const poll = alice.sync({ since: start.next_batch, timeout: '15000' });
    await alice.send(room, 'wake');
    expect(bodies((await poll).rooms.join[room].timeline.events)).toEqual(['wake']);
  });

  it('caps a timeline at 100, says limited, and /messages back to the token gives the rest exactly', async () => {
    const alice = await client();
    const room = await alice.createRoom();
    const start = await alice.sync();
    const sent = Array.from({ length: 130 }, (_, index) => `n${index}`);
    for (const text of sent) await alice.send(room, text);
    const filter = JSON.stringify({ room: { timeline: { limit: 500 } } });
    const { timeline } = (await alice.sync({ since: start.next_batch, filter })).rooms.join[room];
    expect(timeline).toMatchObject({ limited: true });
    expect(timeline.events).toHaveLength(100);
    const older: string[] = [];
    for (let from: string | undefined = timeline.prev_batch; from !== undefined; ) {
      const query = new URLSearchParams({ from, to: start.next_batch, dir: 'b', limit: '20' });
      const page: Answer['body'] = await alice.ok('GET', `${V3}/rooms/${enc(room)}/messages?${query}`);
      older.unshift(...bodies(page.chunk).reverse());
      from = page.chunk.length === 0 ? undefined : page.end;
    }
    expect([...older, ...bodies(timeline.events)]).toEqual(sent);
  });

  it('applies a stored filter', async () => {
    const alice = await client();
    const room = await alice.createRoom();
    const definition = { room: { timeline: { limit: 5, types: ['m.room.message'] } } };
    const { filter_id: filter } = await alice.ok('POST', `${V3}/user/${enc(alice.user.userId)}/filter`, definition);
    const since = (await alice.sync({ filter })).next_batch;
    await alice.ok('PUT', `${V3}/rooms/${enc(room)}/send/org.example.other/t1`, { a: 1 });
    await alice.send(room, 'seen');
    const { events, limited } = (await alice.sync({ filter, since })).rooms.join[room].timeline;
    expect(events.map((event: Answer['body']) => event.type)).toEqual(['m.room.message']);
    expect(limited).toBe(false);
  });

  it('carries account data, once', async () => {
    const alice = await client();
    const since = (await alice.sync()).next_batch;
    const path = `${V3}/user/${enc(alice.user.userId)}/account_data/org.example.key`;
    expect(await alice.call('GET', path)).toMatchObject({ status: 404, body: { errcode: 'M_NOT_FOUND' } });
    await alice.ok('PUT', path, { value: 7 });
    expect(await alice.ok('GET', path)).toEqual({ value: 7 });
    const next = await alice.sync({ since });
    expect(next.account_data.events).toEqual([{ type: 'org.example.key', content: { value: 7 } }]);
    expect((await alice.sync({ since: next.next_batch })).account_data?.events ?? []).toEqual([]);
  });
}

function roomCases(client: NewClient): void {
  it('invites, joins, leaves, each in its section', async () => {
    const [alice, bob] = [await client(), await client()];
    const start = await bob.sync();
    const room = await alice.createRoom({ name: 'Den', invite: [bob.user.userId] });
    const invited = await bob.sync({ since: start.next_batch });
    const stripped = invited.rooms.invite[room].invite_state.events;
    expect(stripped).toContainEqual(expect.objectContaining({ type: 'm.room.name', content: { name: 'Den' } }));
    await bob.ok('POST', `${V3}/join/${enc(room)}`, {});
    const joined = await bob.sync({ since: invited.next_batch });
    const { state, timeline } = joined.rooms.join[room];
    const types = [...state.events, ...timeline.events].map((event: Answer['body']) => event.type);
    expect(types).toContain('m.room.create');
    await bob.ok('POST', `${V3}/rooms/${enc(room)}/leave`, {});
    const left = await bob.sync({ since: joined.next_batch });
    expect(Object.keys(left.rooms.leave)).toEqual([room]);
    expect((await bob.call('POST', `${V3}/join/${enc(room)}`, {})).status).toBe(403);
  });

  it('resolves aliases, joins by them, and says what it does not know', async () => {
    const [alice, bob] = [await client(), await client()];
    const local = `den-${randomUUID()}`;
    const room = await alice.createRoom({ preset: 'public_chat', room_alias_name: local });
    const alias = `#${local}:${alice.user.userId.split(':')[1]}`;
    expect((await alice.ok('GET', `${V3}/directory/room/${enc(alias)}`)).room_id).toBe(room);
    expect((await bob.ok('POST', `${V3}/join/${enc(alias)}`, {})).room_id).toBe(room);
    const unknown = await bob.call('GET', `${V3}/directory/room/${enc(alias.replace('#den', '#nix'))}`);
    expect(unknown).toMatchObject({ status: 404, body: { errcode: 'M_NOT_FOUND' } });
    const again = await alice.call('POST', `${V3}/createRoom`, { room_alias_name: local });
    expect(again).toMatchObject({ status: 400, body: { errcode: 'M_ROOM_IN_USE' } });
  });
}

function accountCases(client: NewClient): void {
  it('refuses an unknown token and a missing one in the standard shape', async () => {
    const alice = await client();
    const ghost = new Client(alice.server, { ...alice.user, accessToken: 'nobody' });
    const path = `${V3}/account/whoami`;
    expect(await ghost.call('GET', path)).toMatchObject({
      status: 401,
      body: { errcode: 'M_UNKNOWN_TOKEN', soft_logout: false },
    });
    const bare = await fetch(`${alice.server.baseUrl}${path}`);
    expect([bare.status, ((await bare.json()) as Answer['body']).errcode]).toEqual([401, 'M_MISSING_TOKEN']);
    expect((await alice.ok('GET', path)).device_id).toBe(alice.user.deviceId);
    expect(await alice.call('GET', '/_matrix/client/v1/nothing')).toMatchObject({
      status: 404,
      body: { errcode: 'M_UNRECOGNIZED' },
    });
  });

  it('logs in by password on the same device, beside the old token; refuses a wrong password', async () => {
    const alice = await client();
    const name = alice.user.userId.slice(1).split(':')[0] ?? '';
    const login = {
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: name },
      device_id: alice.user.deviceId,
    };
    const wrong = await alice.call('POST', `${V3}/login`, { ...login, password: 'no' });
    expect(wrong).toMatchObject({ status: 403, body: { errcode: 'M_FORBIDDEN' } });
    const session = await alice.ok('POST', `${V3}/login`, { ...login, password: name.replace('user', 'secret') });
    expect(session).toMatchObject({ user_id: alice.user.userId, device_id: alice.user.deviceId });
    expect((await alice.call('GET', `${V3}/account/whoami`)).status).toBe(200);
  });

  it('gives back media as uploaded, only with a token', async () => {
    const { server, user } = await client();
    const headers = { authorization: `Bearer ${user.accessToken}`, 'content-type': 'image/png' };
    const bytes = Uint8Array.from({ length: 5000 }, (_, index) => index % 251);
    const upload = await fetch(`${server.baseUrl}/_matrix/media/v3/upload?filename=a.png`, {
      method: 'POST',
      headers,
      body: bytes,
    });
    const { content_uri: uri } = (await upload.json()) as { content_uri: string };
    const url = `${server.baseUrl}/_matrix/client/v1/media/download/${uri.slice('mxc://'.length)}`;
    const download = await fetch(url, { headers });
    expect(download.headers.get('content-type')).toBe('image/png');
    expect(new Uint8Array(await download.arrayBuffer())).toEqual(bytes);
    expect((await fetch(url)).status).toBe(401);
  });
}

function rateLimitCases(name: string, factory: ContractFactory): void {
  describe(`${name}: stock rate limits`, () => {
    let server: ContractServer;
    beforeAll(async () => {
      server = await factory({ rateLimits: 'stock' });
    });
    afterAll(() => server.stop());

    it('lets a burst of ten pass, then says 429 with retry_after_ms; a known transaction id still gets its answer', async () => {
      const alice = new Client(server, await server.registerUser('alice', 'secret'));
      const room = await alice.createRoom();
      const answers: Answer[] = [];
      for (let index = 0; index < 12; index += 1) answers.push(await alice.send(room, `m${index}`, `t${index}`));
      expect(answers.slice(0, 8).map(({ status }) => status)).toEqual(Array(8).fill(200));
      const refused = answers.find(({ status }) => status !== 200);
      expect(refused).toMatchObject({ status: 429, body: { errcode: 'M_LIMIT_EXCEEDED' } });
      expect(refused?.body.retry_after_ms).toBeGreaterThan(0);
      expect(refused?.body.retry_after_ms).toBeLessThanOrEqual(5000);
      expect((await alice.send(room, 'm0', 't0')).body).toEqual(answers[0]?.body);
    });
  });
}
