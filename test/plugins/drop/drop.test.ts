import { describe, expect, it } from 'vitest';
import drop from '../../../plugins/drop/index.ts';
import { dueFor, readDrops } from '../../../plugins/drop/items.ts';
import type { Json, Packet, Position } from '../../../src/plugins/api.ts';
import { TEST_ALICE_NODE, TEST_OWN_NODE, testPlugin } from '../../../src/plugins/testing.ts';

const KEY = '!NODE_MSGS!';
const BOB = 0xb0b;
const at = (latitude: number, longitude: number): Position => ({
  latitude,
  longitude,
  altitudeM: null,
  timeS: 0,
  precisionBits: 32,
});
const near = { kind: 'position', ...at(52.53, 13.41) } as const;
const far = { kind: 'position', ...at(48.1, 11.5) } as const;

async function started(config: object = {}, stored?: Json) {
  const tester = testPlugin(drop, {
    nowMs: 1_000_000_000_000,
    config: { ...config },
    positions: { [TEST_ALICE_NODE]: at(52.52, 13.4) },
    ...(stored === undefined ? {} : { store: { [KEY]: stored } }),
  });
  await tester.start();
  return tester;
}

const from = (num: number, decoded: Packet['decoded'] = null): Partial<Packet> => ({
  from: num,
  decoded,
  radio: 'default',
});

describe('drop', () => {
  it('keeps a text in the form of the old relay and gives it to who comes near, once', async () => {
    const tester = await started();
    const outcome = await tester.mesh('look here !drop hello there');
    expect(outcome.replies).toEqual([{ text: 'Dropped for nodes within 5 km, for 30 days.', private: true }]);
    expect(tester.store.get(KEY)).toEqual([
      { location: [52.52, 13.4], text: 'hello there', originator: '!0a11ce01', time: 1_000_000_000 },
    ]);
    await tester.packet(from(BOB, far));
    expect(tester.sent.mesh).toEqual([]);
    await tester.packet(from(BOB, near));
    await tester.packet(from(BOB, near));
    expect(tester.sent.mesh).toEqual([{ text: 'hello there', to: BOB, radio: 'default' }]);
    expect(tester.store.get(KEY)).toEqual([]);
  });

  it('gives nothing to its writer, to the relay, or to a node without position', async () => {
    const tester = await started();
    await tester.mesh('!drop x');
    await tester.packet(from(TEST_ALICE_NODE, near));
    await tester.packet(from(TEST_OWN_NODE, near));
    await tester.packet(from(BOB));
    expect(tester.sent.mesh).toEqual([]);
  });

  it('delivers what an old relay stored', async () => {
    const old = [
      { location: [52.52, 13.4], text: 'old', originator: '!00000001' },
      'rubbish',
      { location: ['a'], text: 1 },
    ];
    const tester = await started({}, old);
    await tester.packet(from(BOB, near));
    expect(tester.sent.mesh).toMatchObject([{ text: 'old' }]);
  });

  it('tells why it takes nothing', async () => {
    const tester = await started({ per_node: 2 });
    const say = async (text: string, change: Partial<Packet> = {}) =>
      (await tester.mesh(text, change)).replies[0]?.text;
    expect(await say('!drop')).toBe('Usage: !drop <text>');
    expect(await say('!drop x', { from: BOB })).toBe('Not dropped: your position is not known to the relay.');
    await say('!drop 1');
    await say('!drop 2');
    expect(await say('!drop 3')).toBe('Not dropped: 2 of your texts wait already.');
  });

  it('forgets after its time', async () => {
    const tester = await started({ keep_days: 1 });
    await tester.mesh('!drop x');
    await tester.clock.advance(86_401_000);
    await tester.packet(from(BOB, near));
    expect(tester.sent.mesh).toEqual([]);
  });

  it('writes nothing for packets that meet no text', async () => {
    const tester = await started();
    await tester.packet(from(BOB, near));
    expect(tester.store.has(KEY)).toBe(false);
  });

  it('measures across the date line', () => {
    const drops = readDrops([{ location: [0, 179.99], text: 't', originator: 'a' }]);
    const visitor = { id: 'b', place: { latitude: 0, longitude: -179.99 }, radiusKm: 3 };
    expect(dueFor(drops, visitor)).toHaveLength(1);
    expect(dueFor(drops, { ...visitor, radiusKm: 2 })).toHaveLength(0);
  });
});
