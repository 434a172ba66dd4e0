import { describe, expect, it } from 'vitest';
import { activityLog } from '../../src/app/daemon/activity-log.ts';
import { parseConfig } from '../../src/config/load.ts';
import { roomToMesh } from '../../src/relay/rules/room-to-mesh.ts';
import type { LogFields } from '../../src/util/logger.ts';
import { RelayError } from '../../src/util/relay-error.ts';
import { utf8Bytes } from '../../src/util/utf8.ts';
import { type EngineFixture, startEngine } from '../support/engine-fixture.ts';
import { loggerTo } from '../support/logger-to.ts';
import { botJoin, link, packet, ROOM, roomEvent, route, settings, world } from '../support/relay-fixture.ts';

/** Weak spots of the old relay (spec 02 section 9) that no other file of this folder is about; each test names its row. */

const SECOND = '!two:ex.org';

function joinAll({ matrix }: EngineFixture, ...rooms: readonly string[]): void {
  matrix.sync(rooms.map(botJoin), true);
}

describe('W1, W2, W5: rows are data, and wait for whichever link comes', () => {
  it('what was accepted before a reconnect leaves on the new link', async () => {
    const f = await startEngine();
    joinAll(f, ROOM);
    f.matrix.sync([roomEvent({ eventId: '$1', body: 'before' })]);
    f.radio.setReady(false);
    f.matrix.sync([roomEvent({ eventId: '$2', body: 'between' })]);
    await f.clock.advance(10_000);
    f.radio.setReady(true);
    f.matrix.sync([roomEvent({ eventId: '$3', body: 'after' })]);

    await f.clock.advance(10_000);

    expect(new Set(f.radio.texts())).toEqual(new Set(['Alice[M]: before', 'Alice[M]: between', 'Alice[M]: after']));
  });
});

describe('W13: reactions fit the air', () => {
  it('however long their key is', () => {
    const content = { 'm.relates_to': { rel_type: 'm.annotation', event_id: '$original', key: '👨‍👩‍👧‍👦'.repeat(60) } };

    const intents = roomToMesh(roomEvent({ type: 'm.reaction', content }), world({ links: [link()] }));

    const [text] = intents
      .flatMap((intent) => (intent.kind === 'to-radio' ? intent.deliveries : []))
      .map((delivery) => delivery.text);
    expect(utf8Bytes(text ?? '')).toBeLessThanOrEqual(222);
    expect(text?.replaceAll('👨‍👩‍👧‍👦', '')).toBe('');
  });
});

describe('W16: a reply finds its message in each room', () => {
  it('with several rooms on one channel', async () => {
    const f = await startEngine({ settings: settings({ routes: [route(), route({ room: SECOND })] }) });
    f.radio.sink?.onPacket(packet({ id: 1, text: 'question' }));
    await f.clock.advance(10);
    f.radio.sink?.onPacket(packet({ id: 2, replyId: 1, text: 'answer' }));
    await f.clock.advance(10);

    const [questions, answers] = [f.matrix.sent.slice(0, 2), f.matrix.sent.slice(2)];
    expect(questions.map(({ roomId }) => roomId)).toEqual([ROOM, SECOND]);
    for (const answer of answers) {
      const index = questions.findIndex(({ roomId }) => roomId === answer.roomId);
      expect(answer.content['m.relates_to']).toEqual({ 'm.in_reply_to': { event_id: `$sent${index + 1}` } });
    }
  });
});

describe('W19: order', () => {
  it('a message that fails for a while is not overtaken', async () => {
    const f = await startEngine();
    let refusals = 3;
    f.matrix.refuse = () =>
      refusals-- > 0 ? new RelayError('MATRIX_UNAVAILABLE', 'down', { retry: { kind: 'later' } }) : null;
    for (const id of [1, 2, 3, 4]) f.radio.sink?.onPacket(packet({ id, text: String(id) }));

    await f.clock.advance(120_000);

    expect(f.matrix.bodies().map((body) => String(body).at(-1))).toEqual(['1', '2', '3', '4']);
  });
});

describe('W20, W47: rooms by alias', () => {
  const alias = '#mesh:ex.org';
  const byAlias = settings({ routes: [route({ room: alias })] });
  const nowhere = (): Promise<string> =>
    Promise.reject(new RelayError('MATRIX_NOT_FOUND', 'no such alias', { retry: { kind: 'after', ms: 10_000 } }));

  it('are resolved when something is sent, for as long as it takes, and what waits is named', async () => {
    const f = await startEngine({
      settings: byAlias,
      prepare: ({ matrix }) => Object.assign(matrix, { resolveRoom: nowhere }),
    });
    f.radio.sink?.onPacket(packet({ id: 1, text: 'hello' }));
    await f.clock.advance(600_000);
    expect(f.matrix.sent).toEqual([]);
    expect([...f.engine.blockedRooms()]).toEqual([[alias, 'no such alias']]);
    f.matrix.resolveRoom = () => Promise.resolve(ROOM);

    await f.clock.advance(300_000);

    expect(f.matrix.sent.map(({ roomId }) => roomId)).toEqual([ROOM]);
    expect(f.engine.blockedRooms().size).toBe(0);
  });

  it('hundreds of events that wait for an alias do not hold up what can be decided', async () => {
    const f = await startEngine({
      settings: settings({ routes: [route({ room: alias }), route()] }),
      prepare: ({ matrix }) => Object.assign(matrix, { resolveRoom: nowhere }),
    });
    joinAll(f, ROOM, SECOND);
    const early = Array.from({ length: 450 }, (_, index) => roomEvent({ roomId: SECOND, eventId: `$early${index}` }));
    f.matrix.sync([...early, roomEvent({ eventId: '$known', body: 'now' })]);
    await f.clock.advance(5_000);
    expect(f.radio.texts()).toEqual(['Alice[M]: now']);
  });

  it('an event that came before the alias was known is relayed, not lost', async () => {
    const f = await startEngine({
      settings: byAlias,
      prepare: ({ matrix }) => Object.assign(matrix, { resolveRoom: nowhere }),
    });
    joinAll(f, ROOM);
    f.matrix.sync([roomEvent({ eventId: '$early', body: 'early bird' })]);
    await f.clock.advance(60_000);
    f.matrix.resolveRoom = () => Promise.resolve(ROOM);

    await f.clock.advance(400_000);

    expect(f.radio.texts()).toEqual(['Alice[M]: early bird']);
  });
});

describe('W25: texts are nobody else’s business', () => {
  it('the log gets them in the one field that is dropped unless asked for', async () => {
    const lines: LogFields[] = [];
    const logger = loggerTo((_message, fields) => lines.push(fields));
    const f = await startEngine({ observer: activityLog(logger) });
    joinAll(f, ROOM);

    f.radio.sink?.onPacket(packet({ id: 1, text: 'top secret one' }));
    f.matrix.sync([roomEvent({ eventId: '$1', body: 'top secret two' })]);
    await f.clock.advance(5_000);

    expect(lines.length).toBeGreaterThan(2);
    for (const fields of lines) expect(JSON.stringify({ ...fields, messageText: '' })).not.toContain('top secret');
  });
});

describe('W40: who said it is remembered', () => {
  it('for messages of both sides', async () => {
    const f = await startEngine();
    joinAll(f, ROOM);
    f.radio.sink?.onPacket(packet({ id: 1, text: 'from the mesh' }));
    f.matrix.sync([roomEvent({ eventId: '$1', body: 'from the room' })]);
    await f.clock.advance(10);

    expect(f.store.links.byEvent('$sent1')).toMatchObject([
      { author: '!0a11ce01', text: 'from the mesh', direction: 'to-room' },
    ]);
    expect(f.store.links.byEvent('$1')).toMatchObject([
      { author: '@alice:ex.org', text: 'from the room', direction: 'to-mesh' },
    ]);
  });
});

describe('W42: one channel, one way to write it', () => {
  it('a number or its digits, the same in both directions; anything else is named with its place', () => {
    const rooms = (channel: string): string =>
      `meshtastic: {connection_type: tcp, host: radio}\nmatrix_rooms:\n  - {id: "!a:ex.org", meshtastic_channel: ${channel}}\n`;
    const load = (channel: string): ReturnType<typeof parseConfig> =>
      parseConfig({ text: rooms(channel), file: 'config.yaml', env: {} });

    expect(load('"3"').config?.rooms[0]?.channel).toBe(3);
    expect(load('3').config?.rooms[0]?.channel).toBe(3);
    for (const wrong of ['8', '-1', 'true', '"x"']) {
      expect(load(wrong).config).toBeNull();
      expect(load(wrong).problems.find(({ severity }) => severity === 'error')).toMatchObject({
        line: 3,
        path: 'matrix_rooms[0].meshtastic_channel',
      });
    }
  });
});

describe('W44: a flood from five rooms', () => {
  it('is served in turn, nobody twice before everybody once, without one rate limit', async () => {
    const rooms = Array.from({ length: 5 }, (_, n) => `!room${n}:ex.org`);
    const f = await startEngine({
      settings: settings({ routes: rooms.map((room) => route({ room })), userRate: { burst: 100, perMinute: 100 } }),
    });
    joinAll(f, ...rooms);
    const sentAt: number[] = [];
    f.radio.answer = (given) => {
      sentAt.push(f.clock.now());
      f.radio.accept(given);
    };

    f.matrix.sync(
      rooms.flatMap((roomId, n) =>
        Array.from({ length: 20 }, (_, k) => roomEvent({ eventId: `$${n}.${k}`, roomId, body: `${n}.${k}` })),
      ),
    );
    await f.clock.advance(100 * 2_100);

    const order = f.radio.texts().map((text) => text.replace('Alice[M]: ', ''));
    expect(order).toHaveLength(100);
    for (let round = 0; round < 20; round += 1) {
      expect(order.slice(round * 5, round * 5 + 5).sort()).toEqual(rooms.map((_, n) => `${n}.${round}`));
    }
    const gaps = sentAt.slice(1).map((atMs, index) => atMs - (sentAt[index] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThan(2_000);
    expect(Math.max(...gaps)).toBeLessThan(2_041);
  });
});
