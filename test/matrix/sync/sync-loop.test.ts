import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it } from 'vitest';
import { createMatrix, type MatrixAdapter, type MatrixOptions } from '../../../src/matrix/client.ts';
import type { JsonObject } from '../../../src/util/json.ts';
import { silentLogger } from '../../../src/util/logger.ts';
import { ManualClock } from '../../../src/util/manual-clock.ts';
import { type ScriptedAnswer, type ScriptedServer, scriptedServer } from '../../support/scripted-server.ts';
import { RecordingSink } from '../support/recording-sink.ts';

let server: ScriptedServer;
let adapter: MatrixAdapter;
afterEach(async () => {
  await adapter.stop();
  await server.close();
});

const ROOM = '!r:x';

function make(clock: ManualClock, options: Partial<MatrixOptions> = {}): MatrixAdapter {
  adapter = createMatrix({
    credentials: { homeserver: server.url, accessToken: 'tok', deviceId: 'D', userId: '@bot:x' },
    login: null,
    saveCredentials: () => undefined,
    rooms: [],
    clock,
    logger: silentLogger,
    random: () => 0.999,
    ...options,
  });
  return adapter;
}

/** Moves the clock on in steps of a second, each after the requests under way have come back. */
async function pass(clock: ManualClock, seconds: number, sink: RecordingSink): Promise<void> {
  for (let i = 0; i < seconds; i += 1) {
    const before = sink.states.length;
    const asked = server.requests.length;
    await clock.advance(1000);
    if (server.requests.length === asked) await new Promise((resolve) => setImmediate(resolve));
    if (server.requests.length > asked) await sink.until(() => sink.states.length > before);
  }
}

describe('pace of the sync loop', () => {
  it.each<[string, ScriptedAnswer]>([
    ['a 502 page', { status: 502, body: '<html>Bad Gateway</html>' }],
    ['a 500', { status: 500, body: { errcode: 'M_UNKNOWN', error: 'x' } }],
    ['a success that is no sync answer', { body: {} }],
  ])('asks a few times in ten minutes of %s', async (_, answer) => {
    const clock = new ManualClock();
    server = await scriptedServer(() => answer);
    const sink = new RecordingSink();
    make(clock).start(sink, 's1');
    await sink.until(() => sink.states.at(-1)?.status === 'backing-off');
    await pass(clock, 600, sink);
    expect(server.count('/sync')).toBeGreaterThan(8);
    expect(server.count('/sync')).toBeLessThan(20);
    expect(server.requests.length).toBe(server.count('/sync'));
    expect(sink.batches).toEqual([]);
  });

  it('asks even less while logged out, says so, and comes back when the token does', async () => {
    const clock = new ManualClock();
    let dead = true;
    const refusal = { status: 401, body: { errcode: 'M_UNKNOWN_TOKEN', error: 'gone', soft_logout: true } };
    server = await scriptedServer(({ path, query }) => {
      if (dead) return refusal;
      if (path.endsWith('/joined_rooms')) return { body: { joined_rooms: [] } };
      return query.get('timeout') === '0' ? { body: { next_batch: 's2' } } : null;
    });
    const sink = new RecordingSink();
    make(clock).start(sink, 's1');
    await sink.until(() => sink.states.at(-1)?.status === 'logged-out');
    expect(sink.states.at(-1)?.reason).toContain('auth login');
    await pass(clock, 1800, sink);
    expect(server.requests.length).toBeLessThan(8);
    dead = false;
    const back = sink.until(() => sink.batches.length > 0);
    await clock.advance(900_000);
    await back;
    expect(sink.token()).toBe('s2');
  });

  it('does not hammer the login with a password that is wrong', async () => {
    const clock = new ManualClock();
    server = await scriptedServer(({ path }) =>
      path.endsWith('/login')
        ? { status: 403, body: { errcode: 'M_FORBIDDEN', error: 'Invalid username or password' } }
        : { status: 401, body: { errcode: 'M_UNKNOWN_TOKEN', error: 'gone', soft_logout: true } },
    );
    const sink = new RecordingSink();
    const login = { homeserver: server.url, user: 'bot', password: 'no', deviceName: 'mmrelay' };
    make(clock, { login }).start(sink, 's1');
    await sink.until(() => sink.states.at(-1)?.status === 'logged-out');
    expect(sink.states.at(-1)?.reason).toContain('Invalid username or password');
    await pass(clock, 3600, sink);
    expect(server.count('/login')).toBeLessThan(10);
    expect(server.requests.find((request) => request.path.endsWith('/login'))?.body.device_id).toBe('D');
  });

  it('slows down when long polls come back at once with nothing', async () => {
    const clock = new ManualClock();
    server = await scriptedServer(() => ({ body: { next_batch: 's1' } }));
    const sink = new RecordingSink();
    make(clock).start(sink, 's1');
    await sink.until(() => sink.batches.length >= 5);
    await new Promise((resolve) => setImmediate(resolve));
    const before = server.count('/sync');
    for (let i = 0; i < 60; i += 1) {
      const taken = sink.batches.length;
      const timers = clock.pending();
      await clock.advance(1000);
      if (clock.pending() !== timers) await sink.until(() => sink.batches.length > taken);
    }
    expect(server.count('/sync') - before).toBeLessThan(15);
  });

  it('when the server does not know the token, begins anew, and fetches what it has not and can still relay', async () => {
    const clock = new ManualClock();
    const message = (id: string, ageMs: number): JsonObject => ({
      event_id: id,
      sender: '@alice:x',
      type: 'm.room.message',
      content: { msgtype: 'm.text', body: id },
      origin_server_ts: clock.now() - ageMs,
    });
    const timeline = { events: [message('$d', 1), message('$e', 0)], limited: true, prev_batch: 'p1' };
    server = await scriptedServer(({ path, query }) => {
      if (query.get('since') === 'stale') return { status: 400, body: { errcode: 'M_UNKNOWN_POS', error: 'x' } };
      if (path.endsWith('/messages'))
        return { body: { chunk: [message('$c', 2), message('$had', 3), message('$before', 4)], end: 'p2' } };
      return query.has('since') ? null : { body: { next_batch: 'fresh', rooms: { join: { [ROOM]: { timeline } } } } };
    });
    const sink = new RecordingSink();
    make(clock, { rooms: [ROOM], isKnownEvent: (id) => id === '$had' }).start(sink, 'stale');
    await sink.until(() => sink.states.at(-1)?.status === 'backing-off');
    await clock.advance(1000);
    await sink.until(() => sink.batches.length > 0);
    expect(sink.batches[0]).toMatchObject({ initial: false, nextToken: 'fresh', gaps: [] });
    expect(sink.bodies(ROOM)).toEqual(['$c', '$d', '$e']);
  });

  it('asks for less after an answer that is larger than it takes in', async () => {
    const clock = new ManualClock();
    const limits: unknown[] = [];
    server = await scriptedServer(({ path, query }) => {
      if (path.endsWith('/joined_rooms')) return { body: { joined_rooms: [] } };
      if (query.get('since') !== 's1') return null;
      const { room } = JSON.parse(query.get('filter') ?? '{}') as { room: { timeline: { limit: number } } };
      limits.push(room.timeline.limit);
      return { body: { next_batch: 's2', flood: limits.length === 1 ? 'x'.repeat(33 * 2 ** 20) : '' } };
    });
    const sink = new RecordingSink();
    make(clock).start(sink, 's1');
    await sink.until(() => sink.states.at(-1)?.status === 'backing-off');
    expect(sink.states.at(-1)?.reason).toContain('larger than 32 MiB');
    await clock.advance(1000);
    await sink.until(() => sink.batches.length > 0);
    expect(limits).toEqual([100, 1]);
  });
});

describe('memory', () => {
  it('holds no event after 20,000, whatever they are, and the heap stays flat', async () => {
    const clock = new ManualClock();
    const ANSWERS = 200;
    const taken = { events: 0 };
    server = await scriptedServer(({ path, query }) => {
      if (!path.endsWith('/sync')) return { body: {} };
      const since = Number(query.get('since') ?? -1);
      return since >= ANSWERS ? null : { body: busyAnswer(since + 1) };
    });
    const sink = new RecordingSink();
    sink.onSync = (batch) => {
      taken.events += batch.events.length;
      if (batch.nextToken === '40' || batch.nextToken === String(ANSWERS)) sink.wake();
      Object.assign(progress, { token: Number(batch.nextToken) });
      if (progress.token === 40) progress.heapAt40 = heapAfterCollection();
    };
    const progress = { token: 0, heapAt40: 0 };
    make(clock).start(sink, '0');
    await sink.until(() => progress.token >= ANSWERS || sink.states.length > 10_000);
    expect(taken.events).toBe(ANSWERS * 100);
    expect(adapter.retainedEvents()).toBe(0);
    const grownMb = (heapAfterCollection() - progress.heapAt40) / 2 ** 20;
    expect(grownMb).toBeLessThan(3);
  }, 60_000);
});

/** 98 messages of 60 senders with 200 bytes each, a reaction and a topic. */
function busyAnswer(n: number): JsonObject {
  const event = (i: number, type: string, content: JsonObject, extra: JsonObject = {}): JsonObject => ({
    event_id: `$${n}-${i}`,
    sender: `@user${i % 60}:x`,
    origin_server_ts: 1_750_000_000_000 + n,
    unsigned: { transaction_id: `t${n}-${i}` },
    type,
    content,
    ...extra,
  });
  const messages = Array.from({ length: 98 }, (_, i) =>
    event(i, 'm.room.message', { msgtype: 'm.text', body: `${n}`.padEnd(200) }),
  );
  const relation = { 'm.relates_to': { rel_type: 'm.annotation', event_id: `$${n}-0`, key: '+' } };
  const events = [
    ...messages,
    event(98, 'm.reaction', relation),
    event(99, 'm.room.topic', { topic: `${n}` }, { state_key: '' }),
  ];
  const receipts = { type: 'm.receipt', content: { [`$${n}-0`]: { 'm.read': { '@user1:x': { ts: n } } } } };
  return {
    next_batch: `${n}`,
    rooms: {
      join: {
        [ROOM]: { timeline: { events, limited: false, prev_batch: `p${n}` }, ephemeral: { events: [receipts] } },
      },
    },
  };
}

function heapAfterCollection(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  return process.memoryUsage().heapUsed;
}
