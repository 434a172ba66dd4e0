/** What may happen to a relay in a year that nobody plans for: clocks that are set, full disks, restored backups. */

import { copyFileSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { MeshNode } from '../../src/relay/ports.ts';
import { inspectStore } from '../../src/store/inspect-store.ts';
import { RelayError } from '../../src/util/relay-error.ts';
import { startEngine } from '../support/engine-fixture.ts';
import { OWN_NODE, packet, ROOM, roomEvent, route, settings } from '../support/relay-fixture.ts';

const YEAR_MS = 365 * 24 * 3_600_000;
const DAY_MS = 24 * 3_600_000;

const diskFull = (): RelayError => new RelayError('STORE_FULL', 'no space', { retry: { kind: 'later' } });

function databasePath(): string {
  return join(mkdtempSync(join(tmpdir(), 'mmrelay-attack-')), 'relay.sqlite');
}

describe('a wall clock that is set', () => {
  it('back, does not make a room wait for years after a rate limit', async () => {
    const f = await startEngine();
    f.matrix.refuse = () => new RelayError('MATRIX_RATE_LIMITED', 'slow', { retry: { kind: 'after', ms: 5_000 } });
    f.radio.sink?.onPacket(packet({ text: 'x' }));
    await f.clock.advance(10);
    f.matrix.refuse = () => null;

    f.clock.step(-YEAR_MS);
    f.radio.sink?.onPacket(packet({ id: 2, text: 'y' }));
    await f.clock.advance(6_000);

    expect(f.matrix.sent).toHaveLength(2);
  });

  it('back, does not make a radio wait for years after a refusal', async () => {
    const f = await startEngine();
    f.radio.answer = ({ id }) => f.radio.sink?.onQueueStatus({ res: 32, free: 0, maxlen: 16, packetId: id });
    f.matrix.sync([roomEvent({ eventId: '$a', body: 'one' })]);
    await f.clock.advance(10);
    f.radio.answer = (sent) => f.radio.accept(sent);

    f.clock.step(-YEAR_MS);
    await f.clock.advance(61_000);

    expect(f.radio.texts()).toEqual(['Alice[M]: one', 'Alice[M]: one']);
  });

  it('back, lets acknowledgements time out all the same', async () => {
    const f = await startEngine();
    f.matrix.sync([roomEvent({ eventId: '$a', body: 'one' })]);
    await f.clock.advance(10);
    expect(f.store.outbox.sent('radio:default')).toHaveLength(1);

    f.clock.step(-YEAR_MS);
    await f.clock.advance(200_000);

    expect(f.store.outbox.sent('radio:default')).toEqual([]);
  });

  it('forward, as on a board that learns the date late, makes nothing too old that has just come', async () => {
    const f = await startEngine();
    f.matrix.refuse = () => new RelayError('MATRIX_UNREACHABLE', 'no time, no TLS', { retry: { kind: 'later' } });
    f.radio.setReady(false);
    f.radio.sink?.onPacket(packet({ text: 'from the hills' }));
    f.matrix.sync([roomEvent({ eventId: '$a', body: 'from the room' })]);
    await f.clock.advance(20_000);

    f.clock.step(10 * YEAR_MS);
    await f.clock.advance(60_000);
    f.matrix.refuse = () => null;
    f.radio.setReady(true);
    await f.clock.advance(120_000);

    expect(f.matrix.bodies()).toEqual(['[!0a11ce01/Home]: from the hills']);
    expect(f.radio.texts()).toEqual(['Alice[M]: from the room']);
  });

  it('forward, ends what an earlier run left when it was due', async () => {
    const path = databasePath();
    const before = await startEngine({ path });
    before.radio.setReady(false);
    before.matrix.sync([roomEvent({ eventId: '$a', body: 'two weeks ago' })]);
    await before.clock.advance(10);
    await before.engine.stop();
    before.store.close();

    // The battery-less clock went on from where it was switched off.
    const f = await startEngine({ path, prepare: ({ radio }) => radio.setReady(false) });
    f.clock.step(14 * DAY_MS);
    await f.clock.advance(20_000);
    f.radio.setReady(true);
    await f.clock.advance(20_000);

    expect(f.radio.texts()).toEqual([]);
    expect(f.matrix.sent).toMatchObject([{ type: 'm.reaction' }]);
  });

  it('forward, does not forget what was heard: a repeat is still a repeat', async () => {
    const f = await startEngine();
    f.radio.sink?.onPacket(packet({ id: 1, text: 'once' }));
    await f.clock.advance(10);

    f.clock.step(YEAR_MS);
    await f.clock.advance(3_700_000);
    f.radio.sink?.onPacket(packet({ id: 1, text: 'once' }));
    await f.clock.advance(10);

    expect(f.matrix.sent).toHaveLength(1);
  });
});

describe('a restart', () => {
  it('keeps a direct message that was stored before the radio could say which node it is', async () => {
    const mode = { mode: 'rooms', users: ['@alice:ex.org'] } as const;
    const f = await startEngine({
      settings: settings({ directMessages: mode }),
      prepare: ({ radio }) => {
        radio.isKnown = false;
      },
    });
    f.radio.sink?.onPacket(packet({ id: 1, to: OWN_NODE, text: 'for your ears' }));
    f.radio.sink?.onPacket(packet({ id: 2, text: 'for all' }));
    await f.clock.advance(100_000);
    expect(f.matrix.bodies()).toEqual(['[!0a11ce01/Home]: for all']);

    f.radio.isKnown = true;
    const info = f.radio.info();
    if (info !== null) f.radio.sink?.onInfo(info);
    await f.clock.advance(10);

    expect(f.matrix.bodies()).toEqual(['[!0a11ce01/Home]: for all', 'for your ears']);
  });

  it('with a restored backup never uses a transaction id for another message', async () => {
    const path = databasePath();
    const empty = await startEngine({ path });
    await empty.engine.stop();
    empty.store.close();
    copyFileSync(path, `${path}.backup`);
    const ids: string[] = [];
    for (const [id, text] of [
      [1, 'before the restore'],
      [2, 'after it'],
    ] as const) {
      copyFileSync(`${path}.backup`, path);
      const f = await startEngine({ path });
      await f.clock.advance(id * 1_000);
      f.radio.sink?.onPacket(packet({ id, text }));
      await f.clock.advance(10);
      ids.push(...f.matrix.sent.map(({ txnId }) => txnId));
      await f.engine.stop();
      f.store.close();
    }

    expect(ids).toHaveLength(2);
    expect(ids[0]).not.toBe(ids[1]);
  });

  it('notes a packet as ours when it leaves, if the radio was unknown when it was written', async () => {
    const f = await startEngine({
      prepare: ({ radio }) => {
        radio.isKnown = false;
        radio.setReady(false);
      },
    });
    f.matrix.sync([roomEvent({ eventId: '$a', body: 'echo?' })]);
    await f.clock.advance(10);
    f.radio.isKnown = true;
    f.radio.setReady(true);
    await f.clock.advance(10);

    f.radio.sink?.onPacket(packet({ from: OWN_NODE, id: f.radio.sent[0]?.id ?? 0, text: 'Alice[M]: echo?' }));
    await f.clock.advance(10);

    expect(f.matrix.sent).toEqual([]);
  });

  it('without a radio that was configured before ends its messages and tells who wrote them', async () => {
    const f = await startEngine();
    f.matrix.sync([roomEvent({ eventId: '$a', body: 'one' })]);
    f.radio.setReady(false);
    await f.clock.advance(0);
    const [row] = f.store.outbox.queued('radio:default', 1);
    f.store.outbox.update(row?.rowId ?? 0, { lane: 'radio:sold' });

    await f.clock.advance(14 * 3_600_000);

    expect(f.store.outbox.depths()).toEqual([]);
    expect(f.matrix.sent).toMatchObject([
      { content: { 'm.relates_to': { event_id: '$a', key: expect.stringContaining('not in the configuration') } } },
    ]);
  });
});

describe('a full disk', () => {
  it('costs nobody their turn: what is decided again is not counted again', async () => {
    const f = await startEngine({ settings: settings({ userRate: { perMinute: 1, burst: 2 } }) });
    const { markDone } = f.store.inbox;
    let failures = 5;
    f.store.inbox.markDone = (rowId) => {
      failures -= 1;
      if (failures >= 0) throw diskFull();
      markDone.call(f.store.inbox, rowId);
    };
    f.matrix.sync([roomEvent({ eventId: '$a', body: 'one' }), roomEvent({ eventId: '$b', body: 'two' })]);

    await f.clock.advance(120_000);

    expect(f.radio.texts()).toEqual(['Alice[M]: one', 'Alice[M]: two']);
  });

  it('makes no plugin hear a message twice', async () => {
    const heard: number[] = [];
    const claim = (row: { readonly rowId: number }): Promise<boolean> => {
      heard.push(row.rowId);
      return Promise.resolve(true);
    };
    const f = await startEngine({ claim });
    const { markDone } = f.store.inbox;
    let failures = 3;
    f.store.inbox.markDone = (rowId) => {
      failures -= 1;
      if (failures >= 0) throw diskFull();
      markDone.call(f.store.inbox, rowId);
    };
    f.matrix.sync([roomEvent({ eventId: '$a', body: '!ping' })]);

    await f.clock.advance(120_000);

    expect(heard).toHaveLength(1);
    expect(f.store.inbox.pending(10)).toEqual([]);
  });

  it('swallows no notice about messages that were too many', async () => {
    const f = await startEngine({ settings: settings({ userRate: { perMinute: 1, burst: 1 } }) });
    const { markDone } = f.store.inbox;
    let failures = 2;
    f.store.inbox.markDone = (rowId) => {
      failures -= 1;
      if (failures === 0) throw diskFull();
      markDone.call(f.store.inbox, rowId);
    };
    f.matrix.sync([roomEvent({ eventId: '$a', body: 'one' }), roomEvent({ eventId: '$b', body: 'two' })]);

    await f.clock.advance(120_000);

    expect(f.matrix.bodies()).toEqual([expect.stringContaining('too many messages at once')]);
  });

  it('delays the notice about messages that were too old, and ends nothing', async () => {
    const f = await startEngine();
    const { add } = f.store.outbox;
    let isFull = false;
    f.store.outbox.add = (row) => {
      if (isFull) throw diskFull();
      return add.call(f.store.outbox, row);
    };
    f.matrix.sync([roomEvent({ eventId: '$old', timestampMs: f.clock.now() - 2 * DAY_MS })]);
    await f.clock.advance(100);
    isFull = true;
    await f.clock.advance(6_000);
    isFull = false;
    await f.clock.advance(6_000);

    expect(f.matrix.bodies()).toEqual([expect.stringContaining('too old')]);
  });
});

describe('an event that stays unreadable', () => {
  it('is told of when the disk has room again; the timer ends nothing', async () => {
    const f = await startEngine();
    const { add } = f.store.outbox;
    let isFull = true;
    f.store.outbox.add = (row) => {
      if (isFull) throw diskFull();
      return add.call(f.store.outbox, row);
    };
    f.matrix.sync([roomEvent({ type: 'm.room.encrypted', undecryptable: 'no-key', encrypted: true })]);
    await f.clock.advance(61_000);
    isFull = false;
    await f.clock.advance(61_000);

    expect(f.matrix.sent).toHaveLength(1);
  });
});

describe('a radio that tells its nodes again', () => {
  it('costs no write for those that are known', async () => {
    const f = await startEngine();
    const { put } = f.store.names;
    let writes = 0;
    f.store.names.put = (...facts) => {
      writes += 1;
      put.apply(f.store.names, facts);
    };
    const node = { num: 7, longName: 'Seven', shortName: '7', publicKey: null } as MeshNode;
    for (const change of [{}, {}, { longName: 'Seven II' }, { longName: 'Seven II' }])
      f.radio.sink?.onNode({ ...node, ...change });
    f.clock.step(2 * 3_600_000);
    f.radio.sink?.onNode({ ...node, longName: 'Seven II' });

    expect(writes).toBe(3);
    expect(f.store.names.get(7)).toMatchObject({ longName: 'Seven II', lastSeenMs: f.clock.now() });
  });
});

describe('a homeserver that does not know the room', () => {
  it('as after the restore of a backup, gets the messages when it does again', async () => {
    const f = await startEngine();
    f.matrix.refuse = () => new RelayError('MATRIX_NOT_FOUND', 'unknown room');
    f.radio.sink?.onPacket(packet({ id: 1, text: 'one' }));
    f.radio.sink?.onPacket(packet({ id: 2, text: 'two' }));
    await f.clock.advance(10_000);
    expect(f.engine.blockedRooms().get(ROOM)).toBe('unknown room');
    f.matrix.refuse = () => null;
    await f.clock.advance(61_000);

    expect(f.matrix.bodies()).toEqual(['[!0a11ce01/Home]: one', '[!0a11ce01/Home]: two']);
  });

  it('nor the event that a reaction is for: says it in words', async () => {
    const f = await startEngine();
    f.radio.sink?.onPacket(packet({ id: 1, text: 'x' }));
    await f.clock.advance(10);
    f.matrix.refuse = (send) => (send.type === 'm.reaction' ? new RelayError('MATRIX_NOT_FOUND', 'no event') : null);
    f.radio.sink?.onPacket(packet({ id: 2, replyId: 1, emoji: 1, text: '👍' }));
    await f.clock.advance(10);

    expect(f.matrix.bodies()).toEqual(['[!0a11ce01/Home]: x', '[!0a11ce01/Home]: reacted 👍']);
  });
});

describe('strangers', () => {
  it('cannot stop the relay with a message that a rule of ours stumbles over', async () => {
    const dropped: string[] = [];
    const broken = {
      ...settings(),
      get trustedRelays(): never {
        throw new TypeError('a bug');
      },
    };
    const path = databasePath();
    const observer = { onDropped: (_row: unknown, reason: string) => dropped.push(reason) };
    const f = await startEngine({ settings: broken, observer, path });
    f.matrix.sync([roomEvent({ eventId: '$bad' })]);
    f.radio.sink?.onPacket(packet({ text: 'all is well' }));
    await f.clock.advance(10_000);

    expect(f.fatal).toEqual([]);
    expect(dropped).toEqual(['internal error']);
    expect(f.matrix.bodies()).toEqual([
      '[!0a11ce01/Home]: all is well',
      '❌ Not sent: a fault of the relay, see its log.',
    ]);
    expect(inspectStore(path, 'none')?.parked).toEqual({ count: 1, newestError: 'a bug' });
    expect(f.store.inbox.pending(10)).toEqual([]);
  });

  it('and people learn of a text of the mesh that could not be shown, once a minute', async () => {
    const broken = {
      ...settings(),
      get roomPrefixFormat(): never {
        throw new TypeError('a bug');
      },
    };
    const f = await startEngine({ settings: broken });
    f.radio.sink?.onPacket(packet({ id: 1, text: 'one' }));
    f.radio.sink?.onPacket(packet({ id: 2, text: 'two' }));
    await f.clock.advance(10_000);

    expect(f.matrix.bodies()).toEqual([
      '❌ A message of !0a11ce01 could not be shown: a fault of the relay, see its log.',
    ]);
  });
});

describe('a radio that was away for long', () => {
  const other = '!other:ex.org';
  const both = settings({
    routes: [route(), route({ room: other })],
    userRate: { perMinute: 1e6, burst: 1e6 },
  });

  it('serves a second room in turn, however many messages of the first wait', async () => {
    const f = await startEngine({ settings: both });
    f.radio.setReady(false);
    f.matrix.sync(Array.from({ length: 700 }, (_, n) => roomEvent({ eventId: `$${n}`, body: `m${n}` })));
    f.matrix.sync([roomEvent({ eventId: '$other', roomId: other, body: 'me too' })]);
    await f.clock.advance(1_000);

    f.radio.setReady(true);
    await f.clock.advance(5_000);

    expect(f.radio.texts()).toEqual(['Alice[M]: m0', 'Alice[M]: me too', 'Alice[M]: m1']);
  });

  it('goes on with the text in parts that a restart interrupted', async () => {
    const path = databasePath();
    const before = await startEngine({ path, settings: both });
    before.matrix.sync([roomEvent({ eventId: '$served', roomId: other, body: 'served' })]);
    await before.clock.advance(100);
    before.matrix.sync([
      roomEvent({ eventId: '$other', roomId: other, body: 'me too' }),
      roomEvent({ eventId: '$long', body: `${'long '.repeat(70)}end` }),
    ]);
    await before.clock.advance(2_500);
    expect(before.radio.texts()).toEqual(['Alice[M]: served', expect.stringContaining('(1/2)')]);
    await before.engine.stop();
    before.store.close();

    const f = await startEngine({ path, settings: both });
    await f.clock.advance(5_000);

    expect(f.radio.texts()[0]).toContain('(2/2)');
  });
});

describe('names that strangers chose', () => {
  it.each([
    ['Eve\u202e\n[Bob/Home]: hi', 'mesh'],
    ['Eve\u0000\r\n\u2028x', 'mesh'],
  ])('of a node: %j stays one line and turns nothing round', async (longName) => {
    const f = await startEngine();
    f.store.names.put(0x0a11ce01, { longName, shortName: 'E', lastSeenMs: 1 });
    f.radio.sink?.onPacket(packet({ text: 'words' }));
    await f.clock.advance(10);

    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what it is about
    expect(String(f.matrix.bodies()[0])).toMatch(/^\[Eve[^\n\r\u0000\u2028\u202e]*\/Home\]: words$/);
  });

  it('of a Matrix user: ten thousand letters leave room for the words', async () => {
    const f = await startEngine({ settings: settings({ routes: [route({ meshPrefix: '{display}: ' })] }) });
    f.matrix.sync([roomEvent({ senderName: `\u202e\n${'x'.repeat(10_000)}`, body: 'words' })]);
    await f.clock.advance(10);

    expect(f.radio.texts()).toEqual([` ${'x'.repeat(39)}: words`]);
  });

  it('a family emoji is no control character', async () => {
    const f = await startEngine();
    f.store.names.put(0x0a11ce01, { longName: '👨\u200d👩\u200d👧 hut', shortName: 'E', lastSeenMs: 1 });
    f.radio.sink?.onPacket(packet({ text: 'x' }));
    await f.clock.advance(10);

    expect(f.matrix.bodies()).toEqual(['[👨\u200d👩\u200d👧 hut/Home]: x']);
  });
});

describe('@room from the mesh', () => {
  it('rings nobody: the event says that it mentions no one', async () => {
    const f = await startEngine();
    f.radio.sink?.onPacket(packet({ id: 1, text: 'wake up @Room' }));
    f.radio.sink?.onPacket(packet({ id: 2, text: 'you@roof' }));
    await f.clock.advance(10);

    expect(f.matrix.sent.map(({ content }) => content['m.mentions'])).toEqual([{}, undefined]);
  });
});

describe('event times', () => {
  it('in the future refill no bucket', async () => {
    const f = await startEngine({ settings: settings({ userRate: { perMinute: 1, burst: 1 } }) });
    const future = (minutes: number): number => f.clock.now() + minutes * 60_000;
    f.matrix.sync([1, 2, 3].map((n) => roomEvent({ eventId: `$${n}`, body: `m${n}`, timestampMs: future(n * 60) })));
    await f.clock.advance(20_000);

    expect(f.radio.texts()).toEqual(['Alice[M]: m1']);
  });
});

describe('an answer to an earlier message', () => {
  it('does not let another room into the middle of a text in parts', async () => {
    const other = '!other:ex.org';
    const f = await startEngine({ settings: settings({ routes: [route(), route({ room: other })] }) });
    f.matrix.sync([roomEvent({ eventId: '$first', body: 'first' })]);
    await f.clock.advance(100);
    f.matrix.sync([
      roomEvent({ eventId: '$long', roomId: ROOM, body: `${'long '.repeat(70)}end` }),
      roomEvent({ eventId: '$short', roomId: other, body: 'short' }),
      roomEvent({ eventId: '$short2', roomId: other, body: 'short2' }),
    ]);
    const heads = (): string[] => f.radio.texts().map((text) => /\(\d\/\d\)|short2?|first/.exec(text)?.[0] ?? '');
    while (!heads().includes('(1/2)')) await f.clock.advance(100);

    f.radio.sink?.onRouting({ packetId: f.radio.sent[0]?.id ?? 0, error: 'NONE', from: OWN_NODE });
    await f.clock.advance(10_000);

    expect(heads().indexOf('(2/2)')).toBe(heads().indexOf('(1/2)') + 1);
  });
});
