import { describe, expect, it } from 'vitest';
import type { MeshNode } from '../../src/relay/ports.ts';
import { RelayError } from '../../src/util/relay-error.ts';
import { startEngine } from '../support/engine-fixture.ts';
import { ALICE_NODE, botJoin, OWN_NODE, packet, ROOM, roomEvent, settings } from '../support/relay-fixture.ts';

const ADMIN = '@admin:ex.org';
const DM_ROOM = '!mmrelay_bot_default_0a11ce01:ex.org';
const withRooms = settings({ directMessages: { mode: 'rooms', users: [ADMIN] } });

function node(change: Partial<MeshNode>): MeshNode {
  return {
    num: ALICE_NODE,
    longName: 'Alice',
    shortName: 'ALI',
    hwModel: null,
    role: null,
    publicKey: null,
    unmessagable: false,
    favorite: false,
    ignored: false,
    viaMqtt: false,
    lastHeardS: 0,
    snr: 0,
    hopsAway: null,
    position: null,
    metrics: null,
    ...change,
  };
}

function direct(text: string, change: Partial<Parameters<typeof packet>[0]> = {}): ReturnType<typeof packet> {
  return packet({ to: OWN_NODE, text, ...change });
}

describe('direct messages (W46)', () => {
  it('get a room per node at first contact, named after it, with the configured people', async () => {
    const f = await startEngine({ settings: withRooms });
    f.radio.sink?.onNode(node({}));
    f.radio.sink?.onPacket(direct('hello you', { id: 1 }));
    f.radio.sink?.onPacket(direct('still there?', { id: 2 }));
    await f.clock.advance(10);

    expect(f.matrix.created).toMatchObject([
      { name: 'Alice', invite: [ADMIN], aliasLocalpart: 'mmrelay_bot_default_0a11ce01' },
    ]);
    expect(f.matrix.sent.map(({ roomId, content }) => [roomId, content.body])).toEqual([
      [DM_ROOM, 'hello you'],
      [DM_ROOM, 'still there?'],
    ]);
  });

  it('answers go to the node alone, acknowledged, ahead of chat', async () => {
    const f = await startEngine({ settings: withRooms });
    f.radio.sink?.onPacket(direct('hi', { id: 1 }));
    await f.clock.advance(10);

    f.matrix.sync([roomEvent({ eventId: '$dm', roomId: DM_ROOM, sender: ADMIN, body: 'hello Alice' })]);
    await f.clock.advance(10);

    expect(f.radio.sent).toMatchObject([{ to: ALICE_NODE, channel: 0, wantAck: true }]);
    expect(f.radio.texts()).toEqual(['hello Alice']);
  });

  it('nobody but the configured people talks for the node', async () => {
    const f = await startEngine({ settings: withRooms });
    f.radio.sink?.onPacket(direct('hi', { id: 1 }));
    await f.clock.advance(10);

    f.matrix.sync([roomEvent({ eventId: '$x', roomId: DM_ROOM, sender: '@stranger:ex.org' })]);
    await f.clock.advance(3_000);

    expect(f.radio.sent).toEqual([]);
    expect(f.matrix.sent.at(-1)?.content.body).toMatch(/^Not sent: only listed users/);
  });

  it('replies and tapbacks stay in that room (W17), and find their message', async () => {
    const f = await startEngine({ settings: withRooms });
    f.radio.sink?.onPacket(direct('first', { id: 1 }));
    f.radio.sink?.onPacket(direct('more', { id: 2, replyId: 1 }));
    f.radio.sink?.onPacket(direct('👍', { id: 3, replyId: 1, emoji: 1 }));
    await f.clock.advance(10);

    expect(f.matrix.sent.map(({ roomId }) => roomId)).toEqual([DM_ROOM, DM_ROOM, DM_ROOM]);
    expect(f.matrix.sent[2]).toMatchObject({
      type: 'm.reaction',
      content: { 'm.relates_to': { event_id: '$sent1', key: '👍' } },
    });
  });

  it('a renamed node renames its room; a changed key is said', async () => {
    const f = await startEngine({ settings: withRooms });
    f.radio.sink?.onNode(node({ publicKey: new Uint8Array(32).fill(1) }));
    f.radio.sink?.onPacket(direct('hi', { id: 1 }));
    await f.clock.advance(10);
    f.radio.sink?.onNode(node({ publicKey: new Uint8Array(32).fill(1) }));
    f.radio.sink?.onNode(node({ longName: 'Alice B', publicKey: new Uint8Array(32).fill(2) }));
    await f.clock.advance(10);

    expect(f.matrix.states).toMatchObject([{ roomId: DM_ROOM, type: 'm.room.name', content: { name: 'Alice B' } }]);
    expect(f.matrix.sent.at(-1)?.content).toMatchObject({
      msgtype: 'm.notice',
      body: expect.stringMatching(/public key/),
    });
  });

  it('tell the sender what the radio really knows', async () => {
    const f = await startEngine({ settings: { ...withRooms, deliveryStatus: 'reactions' } });
    f.radio.sink?.onPacket(direct('hi', { id: 1 }));
    await f.clock.advance(10);
    f.matrix.sync([
      roomEvent({ eventId: '$ok', roomId: DM_ROOM, sender: ADMIN, body: 'one' }),
      roomEvent({ eventId: '$bad', roomId: DM_ROOM, sender: ADMIN, body: 'two' }),
    ]);
    await f.clock.advance(5_000);
    const [one, two] = f.radio.sent;
    f.radio.sink?.onRouting({ packetId: one?.id ?? 0, error: 'NONE', from: ALICE_NODE });
    f.radio.sink?.onRouting({ packetId: two?.id ?? 0, error: 'MAX_RETRANSMIT', from: OWN_NODE });
    await f.clock.advance(10);

    const keys = f.matrix.sent.slice(1).map(({ content }) => content['m.relates_to']);
    expect(keys).toMatchObject([
      { event_id: '$ok', key: '✅' },
      { event_id: '$bad', key: '❌ nobody acknowledged it' },
    ]);
  });

  it('tell the sender when the key of the node was used', async () => {
    const f = await startEngine({ settings: { ...withRooms, deliveryStatus: 'reactions' } });
    f.radio.nodes = () => new Map([[ALICE_NODE, node({ publicKey: new Uint8Array(32).fill(1) })]]);
    f.radio.sink?.onPacket(direct('hi', { id: 1 }));
    await f.clock.advance(10);
    f.matrix.sync([roomEvent({ eventId: '$ok', roomId: DM_ROOM, sender: ADMIN, body: 'one' })]);
    await f.clock.advance(10);
    f.radio.sink?.onRouting({ packetId: f.radio.sent[0]?.id ?? 0, error: 'NONE', from: ALICE_NODE });
    await f.clock.advance(10);

    expect(f.matrix.sent.at(-1)?.content['m.relates_to']).toMatchObject({ event_id: '$ok', key: '✅ 🔒' });
  });

  it('a broadcast is heard, not delivered, and one that nobody repeated has not failed', async () => {
    const f = await startEngine({ settings: settings({ deliveryStatus: 'reactions' }) });
    f.matrix.sync([botJoin(ROOM)], true);
    f.matrix.sync([roomEvent({ eventId: '$a', body: 'a' }), roomEvent({ eventId: '$b', body: 'b' })]);
    await f.clock.advance(5_000);
    f.radio.sink?.onRouting({ packetId: f.radio.sent[0]?.id ?? 0, error: 'NONE', from: OWN_NODE });
    f.radio.sink?.onRouting({ packetId: f.radio.sent[1]?.id ?? 0, error: 'MAX_RETRANSMIT', from: OWN_NODE });
    await f.clock.advance(10);

    expect(f.matrix.sent.map(({ content }) => content['m.relates_to'])).toMatchObject([
      { event_id: '$a', key: '📡' },
      { event_id: '$b', key: '📤' },
    ]);
  });

  it('without configured people they go nowhere', async () => {
    const f = await startEngine();
    f.radio.sink?.onPacket(direct('psst', { id: 1 }));
    await f.clock.advance(1_000);

    expect(f.matrix.sent).toEqual([]);
    expect(f.matrix.created).toEqual([]);
  });

  it('waits when the room cannot be created yet, and loses nothing by it', async () => {
    const f = await startEngine({ settings: withRooms });
    const create = f.matrix.createRoom.bind(f.matrix);
    f.matrix.createRoom = () =>
      Promise.reject(new RelayError('MATRIX_RATE_LIMITED', 'slow', { retry: { kind: 'after', ms: 60_000 } }));
    f.radio.sink?.onPacket(direct('patience', { id: 1 }));
    await f.clock.advance(30_000);
    f.matrix.createRoom = create;

    await f.clock.advance(40_000);

    expect(f.matrix.sent.map(({ content }) => content.body)).toEqual(['patience']);
  });
});

describe('one person and the air (W24)', () => {
  it('is told when they send too much at once, once a minute, and others are not held up', async () => {
    const f = await startEngine({ settings: settings({ userRate: { burst: 3, perMinute: 6 } }) });
    f.matrix.sync([botJoin(ROOM)], true);

    f.matrix.sync([
      ...Array.from({ length: 8 }, (_, n) => roomEvent({ eventId: `$f${n}`, body: `flood ${n}` })),
      roomEvent({ eventId: '$bob', sender: '@bob:ex.org', senderName: 'Bob', body: 'calm' }),
    ]);
    await f.clock.advance(20_000);

    expect(f.radio.texts()).toEqual(['Alice[M]: flood 0', 'Alice[M]: flood 1', 'Alice[M]: flood 2', 'Bob[M]: calm']);
    expect(f.matrix.bodies().filter((body) => String(body).startsWith('Not sent: too many'))).toHaveLength(1);
  });
});
