import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RelayError } from '../../src/util/relay-error.ts';
import { type EngineFixture, startEngine } from '../support/engine-fixture.ts';
import { botJoin, NOW_MS, packet, ROOM, roomEvent, route, settings } from '../support/relay-fixture.ts';

function databasePath(): string {
  return join(mkdtempSync(join(tmpdir(), 'mmrelay-engine-')), 'relay.sqlite');
}

/** Our bot has been in the room before: what comes is news. */
function joined({ matrix }: EngineFixture): void {
  matrix.sync([botJoin(ROOM)], true);
}

const unreachable = (): RelayError => new RelayError('MATRIX_UNREACHABLE', 'refused', { retry: { kind: 'later' } });

describe('mesh to Matrix', () => {
  it('relays packets in order, each once, whatever the radio repeats: its backlog is news (W9)', async () => {
    const f = await startEngine();

    for (const id of [1, 2, 2, 3, 1]) f.radio.sink?.onPacket(packet({ id, text: `m${id}` }));
    await f.clock.advance(10);

    expect(f.matrix.bodies()).toEqual(['[!0a11ce01/Home]: m1', '[!0a11ce01/Home]: m2', '[!0a11ce01/Home]: m3']);
  });

  it('a room with two channels shows both, and talks into the first of them, as in the Python relay', async () => {
    const f = await startEngine({ settings: settings({ routes: [route(), route({ channel: 2 })] }) });
    joined(f);

    f.radio.sink?.onPacket(packet({ id: 1, text: 'on 0', channel: 0 }));
    f.radio.sink?.onPacket(packet({ id: 2, text: 'on 2', channel: 2 }));
    f.matrix.sync([roomEvent({ eventId: '$1', content: { msgtype: 'm.text', body: 'to the mesh' } })]);
    await f.clock.advance(10_000);

    expect(f.matrix.bodies()).toEqual(['[!0a11ce01/Home]: on 0', '[!0a11ce01/Home]: on 2']);
    expect(f.radio.sent.map(({ channel }) => channel)).toEqual([0]);
  });

  it('waits through an outage and keeps the order (W6, W7)', async () => {
    const f = await startEngine();
    f.matrix.refuse = unreachable;
    for (const id of [1, 2, 3]) f.radio.sink?.onPacket(packet({ id, text: `m${id}` }));
    await f.clock.advance(3_600_000);
    expect(f.matrix.sent).toEqual([]);

    f.matrix.refuse = () => null;
    await f.clock.advance(120_000);

    expect(f.matrix.bodies().map((body) => String(body).slice(-2))).toEqual(['m1', 'm2', 'm3']);
  });

  it('sends a row again under the same transaction id when the answer was lost', async () => {
    const f = await startEngine();
    f.matrix.loseAnswers = true;
    f.radio.sink?.onPacket(packet({ id: 1, text: 'once' }));
    await f.clock.advance(30_000);
    f.matrix.loseAnswers = false;

    await f.clock.advance(120_000);

    expect(f.matrix.sent).toHaveLength(1);
    expect(f.store.outbox.depths()).toEqual([]);
  });

  it('honours the time a rate limit names (W8)', async () => {
    const f = await startEngine();
    f.matrix.refuse = () => new RelayError('MATRIX_RATE_LIMITED', 'slow down', { retry: { kind: 'after', ms: 7_000 } });
    f.radio.sink?.onPacket(packet({ id: 1 }));
    await f.clock.advance(10);
    f.matrix.refuse = () => null;

    await f.clock.advance(6_900);
    expect(f.matrix.sent).toHaveLength(0);
    await f.clock.advance(200);

    expect(f.matrix.sent).toHaveLength(1);
  });

  it('a refused event does not hold up those behind it; a closed room does (W3)', async () => {
    const f = await startEngine();
    f.matrix.refuse = (send) =>
      String(send.content.body).endsWith('bad') ? new RelayError('MATRIX_TOO_LARGE', 'too large') : null;
    f.radio.sink?.onPacket(packet({ id: 1, text: 'bad' }));
    f.radio.sink?.onPacket(packet({ id: 2, text: 'good' }));
    await f.clock.advance(10);
    expect(f.matrix.bodies()).toEqual(['[!0a11ce01/Home]: good']);

    f.matrix.refuse = () => new RelayError('MATRIX_FORBIDDEN', 'not in the room');
    f.radio.sink?.onPacket(packet({ id: 3, text: 'later' }));
    await f.clock.advance(600_000);
    expect(f.engine.blockedRooms().get(ROOM)).toBe('not in the room');
    f.matrix.refuse = () => null;
    await f.clock.advance(61_000);

    expect(f.matrix.bodies().at(-1)).toBe('[!0a11ce01/Home]: later');
  });

  it('of a room that was taken out of the configuration nobody is told that it is closed; what waits still may go', async () => {
    let { routes } = settings();
    const live = {
      ...settings(),
      get routes() {
        return routes;
      },
    };
    const f = await startEngine({ settings: live });
    f.matrix.refuse = () => new RelayError('MATRIX_FORBIDDEN', 'not in the room');
    f.radio.sink?.onPacket(packet({ id: 1, text: 'waits' }));
    await f.clock.advance(60_000);
    expect([...f.engine.blockedRooms()]).toEqual([[ROOM, 'not in the room']]);

    routes = [];
    f.engine.followSettings();
    expect([...f.engine.blockedRooms()]).toEqual([]);
    f.matrix.refuse = () => null;
    await f.clock.advance(61_000);
    expect(f.matrix.bodies()).toEqual(['[!0a11ce01/Home]: waits']);
  });

  it('binds a reply to a message that waits ahead of it', async () => {
    const f = await startEngine();
    f.matrix.refuse = unreachable;
    f.radio.sink?.onPacket(packet({ id: 1, text: 'question' }));
    f.radio.sink?.onPacket(packet({ id: 2, replyId: 1, text: 'answer' }));
    f.radio.sink?.onPacket(packet({ id: 3, replyId: 1, emoji: 1, text: '👍' }));
    await f.clock.advance(1_000);
    f.matrix.refuse = () => null;

    await f.clock.advance(120_000);

    expect(f.matrix.sent[1]?.content['m.relates_to']).toEqual({ 'm.in_reply_to': { event_id: '$sent1' } });
    expect(f.matrix.sent[2]).toMatchObject({
      type: 'm.reaction',
      content: { 'm.relates_to': { event_id: '$sent1', key: '👍' } },
    });
  });

  it('says a tapback in words when its target is unknown, or the same emoji is there already', async () => {
    const f = await startEngine();
    f.radio.sink?.onPacket(packet({ id: 1, replyId: 99, emoji: 1, text: '👍' }));
    await f.clock.advance(10);
    expect(f.matrix.bodies()).toEqual(['[!0a11ce01/Home]: reacted 👍']);

    f.radio.sink?.onPacket(packet({ id: 2, text: 'x' }));
    f.matrix.refuse = (send) => (send.type === 'm.reaction' ? new RelayError('MATRIX_REFUSED', 'twice') : null);
    f.radio.sink?.onPacket(packet({ id: 3, replyId: 2, emoji: 1, text: '👍' }));
    await f.clock.advance(10);

    expect(f.matrix.sent.at(-1)?.content).toMatchObject({
      body: '[!0a11ce01/Home]: reacted 👍',
      'm.relates_to': { 'm.in_reply_to': { event_id: '$sent2' } },
    });
  });
});

describe('answers from the mesh', () => {
  it('to any part of a split text answer the one message it was', async () => {
    const f = await startEngine();
    joined(f);
    f.matrix.sync([roomEvent({ eventId: '$long', body: 'long '.repeat(60) })]);
    await f.clock.advance(5_000);

    for (const [n, { id }] of f.radio.sent.entries())
      f.radio.sink?.onPacket(packet({ id: 10 + n, replyId: id, text: `to part ${n + 1}` }));
    await f.clock.advance(10);

    expect(f.radio.sent).toHaveLength(2);
    expect(f.matrix.sent.map(({ content }) => content['m.relates_to'])).toEqual([
      { 'm.in_reply_to': { event_id: '$long' } },
      { 'm.in_reply_to': { event_id: '$long' } },
    ]);
  });

  it('to something older than the map, or to output of a plugin, are ordinary messages', async () => {
    const f = await startEngine();
    f.radio.sink?.onPacket(packet({ id: 1, replyId: 4_000_000_000, text: 'late answer' }));
    await f.clock.advance(10);

    expect(f.matrix.sent).toMatchObject([{ content: { body: '[!0a11ce01/Home]: late answer' } }]);
    expect(f.matrix.sent[0]?.content['m.relates_to']).toBeUndefined();
  });
});

describe('Matrix to mesh', () => {
  it('keeps two seconds between texts and the order of the room', async () => {
    const f = await startEngine();
    joined(f);
    f.matrix.sync([1, 2, 3].map((n) => roomEvent({ eventId: `$e${n}`, body: `m${n}` })));
    await f.clock.advance(0);
    expect(f.radio.texts()).toEqual(['Alice[M]: m1']);

    await f.clock.advance(1_999);
    expect(f.radio.sent).toHaveLength(1);
    await f.clock.advance(4_200);

    expect(f.radio.texts()).toEqual(['Alice[M]: m1', 'Alice[M]: m2', 'Alice[M]: m3']);
  });

  it('what was said before we joined, and before the first sync, is history', async () => {
    const f = await startEngine();
    const join = botJoin(ROOM);

    f.matrix.sync([roomEvent({ eventId: '$old', body: 'old' }), join, roomEvent({ eventId: '$new', body: 'new' })]);
    await f.clock.advance(10_000);

    expect(f.radio.texts()).toEqual(['Alice[M]: new']);
  });

  it('holds messages while the radio is away and sends them when it is back', async () => {
    const f = await startEngine();
    joined(f);
    f.radio.setReady(false);
    f.matrix.sync([roomEvent({ eventId: '$a', body: 'a' }), roomEvent({ eventId: '$b', body: 'b' })]);
    await f.clock.advance(3_600_000);
    expect(f.radio.sent).toEqual([]);

    f.radio.setReady(true);
    await f.clock.advance(5_000);

    expect(f.radio.texts()).toEqual(['Alice[M]: a', 'Alice[M]: b']);
  });

  it('offers a packet again under the same id when the link broke before the answer (W4)', async () => {
    const f = await startEngine();
    joined(f);
    f.radio.answer = () => f.radio.setReady(false);
    f.matrix.sync([roomEvent({ eventId: '$a', body: 'a' })]);
    await f.clock.advance(10);
    f.radio.answer = (given) => f.radio.accept(given);

    f.radio.setReady(true);
    await f.clock.advance(5_000);

    expect(f.radio.sent).toHaveLength(2);
    expect(f.radio.sent[0]?.id).toBe(f.radio.sent[1]?.id);
  });

  it('takes a new id after a rate limit, because the firmware ignores one it has seen', async () => {
    const f = await startEngine();
    joined(f);
    let first = true;
    f.radio.answer = (given) => {
      f.radio.accept(given);
      if (first) f.radio.sink?.onRouting({ packetId: given.id, error: 'RATE_LIMIT_EXCEEDED', from: 1 });
      first = false;
    };
    f.matrix.sync([roomEvent({ eventId: '$a', body: 'a' }), roomEvent({ eventId: '$b', body: 'b' })]);

    await f.clock.advance(10_000);

    expect(f.radio.texts()).toEqual(['Alice[M]: a', 'Alice[M]: a', 'Alice[M]: b']);
    expect(f.radio.sent[0]?.id).not.toBe(f.radio.sent[1]?.id);
  });

  it('keeps what was written into a link that nobody has closed, though the radio is gone', async () => {
    const f = await startEngine();
    let heardMs = 0;
    Object.assign(f.radio, { lastHeardMs: () => heardMs });
    const { answer } = f.radio;
    f.radio.answer = () => undefined;
    f.matrix.sync([roomEvent({ eventId: '$a', body: 'one' })]);
    await f.clock.advance(70_000);
    expect(f.store.outbox.queued('radio:default', 9)).toHaveLength(1);
    f.radio.setReady(false);
    await f.clock.advance(1_000);
    f.radio.answer = (packet) => {
      heardMs = f.clock.monotonic();
      answer(packet);
    };
    f.radio.setReady(true);
    await f.clock.advance(10_000);

    expect(f.store.outbox.queued('radio:default', 9)).toEqual([]);
    expect(new Set(f.radio.sent.map(({ id }) => id)).size).toBe(1);
  });

  it('stops while the radio has no room, and after three silent offers goes on', async () => {
    const f = await startEngine();
    joined(f);
    f.radio.answer = (given) => f.radio.accept(given, 0);
    f.matrix.sync([roomEvent({ eventId: '$a', body: 'a' }), roomEvent({ eventId: '$b', body: 'b' })]);
    await f.clock.advance(1_900);
    expect(f.radio.sent).toHaveLength(1);

    f.radio.answer = () => undefined;
    await f.clock.advance(30_000);

    expect(new Set(f.radio.texts())).toEqual(new Set(['Alice[M]: a', 'Alice[M]: b']));
    expect(f.radio.sent.filter(({ id }) => id === f.radio.sent[1]?.id)).toHaveLength(3);
    expect(f.store.outbox.sent('radio:default')).toHaveLength(2);
  });

  it('tells the sender what failed and what expired, once (W36)', async () => {
    const f = await startEngine();
    joined(f);
    f.radio.answer = (given) => {
      f.radio.accept(given);
      f.radio.sink?.onRouting({ packetId: given.id, error: 'TOO_LARGE', from: 1 });
    };
    f.matrix.sync([roomEvent({ eventId: '$a', body: 'a' })]);
    await f.clock.advance(5_000);
    expect(f.matrix.sent).toMatchObject([
      { type: 'm.reaction', content: { 'm.relates_to': { event_id: '$a', key: '❌ too large for one packet' } } },
    ]);

    f.radio.setReady(false);
    f.matrix.sync([roomEvent({ eventId: '$b', body: 'b' })]);
    await f.clock.advance(13 * 3_600_000);

    expect(f.matrix.sent).toHaveLength(2);
    expect(f.matrix.sent[1]).toMatchObject({
      content: { 'm.relates_to': { event_id: '$b', key: '⌛ waited too long: cut' } },
    });
  });

  it('too old messages of a catch-up are named in one notice', async () => {
    const f = await startEngine();
    joined(f);
    const old = NOW_MS - 20 * 3_600_000;

    f.matrix.sync([1, 2, 3].map((n) => roomEvent({ eventId: `$o${n}`, timestampMs: old })));
    await f.clock.advance(10_000);

    expect(f.radio.sent).toEqual([]);
    expect(f.matrix.bodies()).toEqual(['3 messages were not sent to the mesh: too old when the relay came back.']);
  });

  it('rooms take turns, parts of one text stay together', async () => {
    const routes = [route(), route({ room: '!two:ex.org' })];
    const f = await startEngine({ settings: settings({ routes }) });
    joined(f);
    f.matrix.sync([botJoin('!two:ex.org')], true);

    f.matrix.sync([
      ...[1, 2, 3].map((n) => roomEvent({ eventId: `$a${n}`, body: n === 1 ? 'long '.repeat(60) : `a${n}` })),
      roomEvent({ eventId: '$b1', roomId: '!two:ex.org', body: 'b1' }),
    ]);
    await f.clock.advance(30_000);

    const order = f.radio.texts().map((text) => /\(\d\/\d\)|[ab]\d/.exec(text)?.[0]);
    expect(order).toEqual(['(1/2)', '(2/2)', 'b1', 'a2', 'a3']);
  });
});

describe('a restart', () => {
  it('finds what was accepted, in order, once, and asks for the sync where it stopped (W5, W10)', async () => {
    const path = databasePath();
    const before = await startEngine({ path });
    joined(before);
    before.matrix.refuse = unreachable;
    before.radio.setReady(false);
    before.radio.sink?.onPacket(packet({ id: 1, text: 'from the mesh' }));
    before.matrix.sync([roomEvent({ eventId: '$a', body: 'from the room' })]);
    await before.clock.advance(10);
    before.store.close();

    const after = await startEngine({ path });
    after.radio.sink?.onPacket(packet({ id: 1, text: 'from the mesh' }));
    after.matrix.sync([roomEvent({ eventId: '$a', body: 'from the room' })]);
    await after.clock.advance(30_000);

    expect(after.matrix.bodies()).toEqual(['[!0a11ce01/Home]: from the mesh']);
    expect(after.radio.texts()).toEqual(['Alice[M]: from the room']);
    expect(after.matrix.sinceToken).toMatch(/^t\d$/);
  });

  it('leaves nothing running', async () => {
    const f = await startEngine();

    await f.engine.stop();

    expect(f.clock.pending()).toBe(0);
    expect(f.fatal).toEqual([]);
  });
});
