import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Engine } from '../../src/relay/engine.ts';
import type { OutgoingPacket, RadioInfo } from '../../src/relay/ports.ts';
import { sameChannel } from '../../src/relay/rules/radio-pair.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { LogFields } from '../../src/util/logger.ts';
import { ManualClock } from '../../src/util/manual-clock.ts';
import { silentObserver } from '../support/engine-fixture.ts';
import { FakeMatrix, FakeRadio } from '../support/fake-ports.ts';
import { loggerTo } from '../support/logger-to.ts';
import {
  NOW_MS,
  packet,
  RADIO_INFO,
  ROOM,
  radioSettings,
  roomEvent,
  route,
  settings,
} from '../support/relay-fixture.ts';

const NORTH_NODE = 0xa0000001;
const SOUTH_NODE = 0xa0000002;
const SOUTH_ROOM = '!south:ex.org';
const HIKERS = { index: 0, name: 'Hikers', role: 'primary', keyId: 'stock' } as const;
const LONG_FAST = { index: 0, name: '', role: 'primary', keyId: 'stock' } as const;

class TestRadio extends FakeRadio {
  facts: RadioInfo | null;
  constructor(name: string, change: Partial<RadioInfo>) {
    super(name);
    this.facts = { ...RADIO_INFO, ...change };
  }
  // A radio that was not reached since the start has nothing to tell.
  override info(): RadioInfo {
    return this.facts as RadioInfo;
  }
}

interface Options {
  readonly failover?: boolean;
  /** Rooms of the southern radio; the northern one has ROOM. */
  readonly southRooms?: boolean;
  readonly southChannels?: RadioInfo['channels'];
}

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

async function twoRadios(options: Options = {}) {
  const clock = new ManualClock(NOW_MS);
  const folder = mkdtempSync(join(tmpdir(), 'mmrelay-multi-'));
  folders.push(folder);
  const logs: { message: string; fields: LogFields }[] = [];
  const logger = loggerTo((message, fields) => logs.push({ message, fields }));
  const store = openStore({ path: join(folder, 'db.sqlite'), clock, logger });
  const matrix = new FakeMatrix();
  const north = new TestRadio('north', { nodeNum: NORTH_NODE, channels: [HIKERS] });
  const southChannels = options.southChannels ?? [LONG_FAST, { ...HIKERS, index: 1, role: 'secondary' }];
  const south = new TestRadio('south', { nodeNum: SOUTH_NODE, channels: southChannels });
  const routes = [route({ radio: 'north' })];
  if (options.southRooms === true) routes.push(route({ room: SOUTH_ROOM, radio: 'south', channel: 1 }));
  const radioOf = (name: string) => [name, radioSettings({ name })] as const;
  const claimed: number[] = [];
  const engine = new Engine({
    store,
    matrix,
    radios: new Map([north, south].map((radio) => [radio.name, radio])),
    settings: settings({
      routes,
      radios: new Map([radioOf('north'), radioOf('south')]),
      radioFailover: options.failover ?? false,
    }),
    clock,
    logger,
    random: () => 0.5,
    observer: silentObserver,
    claim: (row) => {
      if (row.item.kind === 'mesh') claimed.push(row.item.packet.id);
      return Promise.resolve(false);
    },
    onFatal: (error) => {
      throw error;
    },
  });
  engine.start();
  matrix.sync([], true);
  await clock.advance(0);
  const rooms = (): string[] => matrix.sent.map(({ roomId }) => roomId);
  return { engine, store, matrix, north, south, clock, logs, rooms, claimed };
}

describe('one packet heard by two radios', () => {
  it('is one message, whichever heard it first', async () => {
    const { north, south, clock, matrix, claimed } = await twoRadios({ failover: true });
    north.sink?.onPacket(packet({ id: 1, text: 'north first' }));
    south.sink?.onPacket(packet({ id: 1, channel: 1, text: 'north first' }));
    south.sink?.onPacket(packet({ id: 2, channel: 1, text: 'south first' }));
    north.sink?.onPacket(packet({ id: 2, text: 'south first' }));
    await clock.advance(1_000);

    expect(matrix.bodies()).toEqual([expect.stringContaining('north first'), expect.stringContaining('south first')]);
    expect(claimed).toEqual([1, 2]);
  });

  it('reaches the room when only the radio without a room heard it', async () => {
    const { south, clock, rooms } = await twoRadios({ failover: true });
    south.sink?.onPacket(packet({ channel: 1 }));
    await clock.advance(1_000);
    expect(rooms()).toEqual([ROOM]);
  });

  it('is not lost to its room because another radio without one heard it first', async () => {
    const { north, south, clock, rooms } = await twoRadios();
    south.sink?.onPacket(packet({ channel: 1 }));
    north.sink?.onPacket(packet({}));
    await clock.advance(1_000);
    expect(rooms()).toEqual([ROOM]);
  });

  it('reaches the room of each radio, and plugins once', async () => {
    const { north, south, clock, rooms, claimed } = await twoRadios({ southRooms: true });
    north.sink?.onPacket(packet({}));
    south.sink?.onPacket(packet({ channel: 1 }));
    south.sink?.onPacket(packet({ channel: 1 }));
    await clock.advance(1_000);
    expect(rooms().toSorted()).toEqual([ROOM, SOUTH_ROOM].toSorted());
    expect(claimed).toEqual([4711]);
  });

  it('keeps other channels of the second radio out of the room', async () => {
    const { south, clock, rooms } = await twoRadios({ failover: true });
    south.sink?.onPacket(packet({ channel: 0 }));
    await clock.advance(1_000);
    expect(rooms()).toEqual([]);
  });

  it('says who heard it better', async () => {
    const { north, south, clock, logs } = await twoRadios({ failover: true });
    north.sink?.onPacket(packet({ rxSnr: -12 }));
    south.sink?.onPacket(packet({ channel: 1, rxSnr: 4 }));
    await clock.advance(0);
    expect(logs.find(({ message }) => message.includes('better'))?.fields).toMatchObject({
      radio: 'south',
      snr: 4,
      before: 'north',
      snrBefore: -12,
    });
  });

  it('lets a reply from the room point at it, though the other radio heard it', async () => {
    const { south, north, clock, matrix } = await twoRadios({ failover: true });
    south.sink?.onPacket(packet({ id: 99, channel: 1 }));
    await clock.advance(1_000);
    const relates = { 'm.in_reply_to': { event_id: '$sent1' } };
    matrix.sync([roomEvent({ content: { msgtype: 'm.text', body: 'yes', 'm.relates_to': relates } })]);
    await clock.advance(5_000);
    expect(north.sent).toMatchObject([{ replyId: 99, channel: 0 }]);
  });
});

describe('our own texts', () => {
  it.each([true, false])('do not come back by the other radio (failover %s)', async (failover) => {
    const { north, south, clock, matrix } = await twoRadios({ failover, southRooms: true });
    matrix.sync([roomEvent({ body: 'hello mesh' })]);
    await clock.advance(5_000);
    const [sent] = north.sent;
    south.sink?.onPacket(packet({ from: NORTH_NODE, id: sent?.id ?? 0, channel: 1, text: 'Alice[M]: hello mesh' }));
    await clock.advance(5_000);
    expect(matrix.sent).toEqual([]);
  });
});

describe('failover', () => {
  it('moves what waits, in order, to the other radio under its own channel number', async () => {
    const { north, south, clock, matrix, store } = await twoRadios({ failover: true });
    north.setReady(false);
    for (const [index, body] of ['one', 'two', 'three'].entries())
      matrix.sync([roomEvent({ eventId: `$${index}`, body })]);
    await clock.advance(9_000);
    expect(south.sent).toEqual([]);
    await clock.advance(20_000);

    expect(south.texts().map((text) => text.split(': ')[1])).toEqual(['one', 'two', 'three']);
    expect(south.sent.map(({ channel }) => channel)).toEqual([1, 1, 1]);
    expect(north.sent).toEqual([]);
    expect(store.outbox.depths().filter(({ queued }) => queued > 0)).toEqual([]);
    expect(store.links.byEvent('$0')).toMatchObject([{ radio: 'north', packetId: south.sent[0]?.id }]);
  });

  it('gives back what still waits when the radio is up again, ahead of what is newer', async () => {
    const { north, south, clock, matrix } = await twoRadios({ failover: true });
    north.setReady(false);
    const say = (body: string): void => matrix.sync([roomEvent({ eventId: `$${body}`, body })]);
    for (const body of ['one', 'two', 'three', 'four']) say(body);
    await clock.advance(13_500);
    expect(south.texts().map((text) => text.split(': ')[1])).toEqual(['one']);
    north.setReady(true);
    say('five');
    await clock.advance(30_000);

    expect(south.sent).toHaveLength(1);
    expect(north.texts().map((text) => text.split(': ')[1])).toEqual(['two', 'three', 'four', 'five']);
    expect(north.sent.map(({ channel }) => channel)).toEqual([0, 0, 0, 0]);
  });

  it('leaves a packet with the radio that has been given it', async () => {
    const { north, south, clock, matrix } = await twoRadios({ failover: true });
    north.setReady(false);
    matrix.sync([roomEvent({ body: 'one' })]);
    south.answer = () => undefined;
    await clock.advance(13_500);
    expect(south.sent).toHaveLength(1);
    north.setReady(true);
    await clock.advance(1_000);
    south.accept(south.sent[0] as OutgoingPacket);
    await clock.advance(60_000);

    expect([...south.sent, ...north.sent]).toHaveLength(1);
  });

  it('keeps replies together, on the mesh and in the room', async () => {
    const { north, south, clock, matrix } = await twoRadios({ failover: true });
    north.setReady(false);
    // Ids of its own, unlike those that the other radio has given.
    for (let n = 0; n < 100; n += 1) south.newPacketId();
    const relates = { 'm.in_reply_to': { event_id: '$first' } };
    const reply = { msgtype: 'm.text', body: 'two', 'm.relates_to': relates };
    matrix.sync([roomEvent({ eventId: '$first', body: 'one' }), roomEvent({ eventId: '$second', content: reply })]);
    await clock.advance(30_000);
    const [first, second] = south.sent;
    expect(second?.replyId).toBe(first?.id);

    south.sink?.onPacket(packet({ channel: 1, text: 'yes', replyId: first?.id ?? 0 }));
    await clock.advance(1_000);
    expect(matrix.sent[0]?.content['m.relates_to']).toEqual({ 'm.in_reply_to': { event_id: '$first' } });
  });

  it('does not send again what comes back on the other radio', async () => {
    const { north, south, clock, matrix } = await twoRadios({ failover: true });
    north.setReady(false);
    matrix.sync([roomEvent({ body: 'once' })]);
    await clock.advance(30_000);
    expect(south.sent).toHaveLength(1);
    north.setReady(true);
    north.sink?.onPacket(packet({ from: SOUTH_NODE, id: south.sent[0]?.id ?? 0, text: 'once' }));
    await clock.advance(30_000);
    expect(north.sent).toEqual([]);
    expect(matrix.sent).toEqual([]);
  });

  it('settles a packet that the lost radio had sent after all', async () => {
    const { north, south, clock, matrix } = await twoRadios({ failover: true });
    // The radio takes the bytes, and the link goes before it answers.
    north.answer = () => north.setReady(false);
    matrix.sync([roomEvent({ body: 'in doubt' })]);
    await clock.advance(5_000);
    expect(north.sent).toHaveLength(1);
    south.sink?.onPacket(packet({ from: NORTH_NODE, id: north.sent[0]?.id ?? 0, channel: 1, text: 'in doubt' }));
    await clock.advance(60_000);
    expect(south.sent).toEqual([]);
    expect(matrix.sent).toEqual([]);
  });

  it.each([
    ['is off', { failover: false }],
    ['finds no radio with that channel', { failover: true, southChannels: [LONG_FAST] }],
    ['finds it without the key', { failover: true, southChannels: [{ ...HIKERS, keyId: null }] }],
    ['finds strangers of that name', { failover: true, southChannels: [{ ...HIKERS, keyId: 'theirs' }] }],
  ])('leaves the rows in their lane when it %s', async (_why, options) => {
    const { north, south, clock, matrix } = await twoRadios(options);
    north.setReady(false);
    matrix.sync([roomEvent({ body: 'waits' })]);
    await clock.advance(60_000);
    expect(south.sent).toEqual([]);
    north.setReady(true);
    await clock.advance(5_000);
    expect(north.texts()).toEqual([expect.stringContaining('waits')]);
  });

  it('knows the channels of a radio that was away since before the start', async () => {
    const { north, south, clock, matrix } = await twoRadios({ failover: true });
    if (north.facts !== null) north.sink?.onInfo(north.facts);
    north.facts = null;
    north.setReady(false);
    matrix.sync([roomEvent({ body: 'by the other' })]);
    south.sink?.onPacket(packet({ channel: 1, text: 'to its room' }));
    await clock.advance(30_000);
    expect(south.texts()).toEqual([expect.stringContaining('by the other')]);
    expect(matrix.bodies()).toEqual([expect.stringContaining('to its room')]);
  });

  it('leaves the rows of a radio that was never reached where they are', async () => {
    const { north, south, clock, matrix } = await twoRadios({ failover: true });
    north.facts = null;
    north.setReady(false);
    matrix.sync([roomEvent({ body: 'waits' })]);
    await clock.advance(30_000);
    expect(south.sent).toEqual([]);
  });

  it('does not mind a restart of the radio', async () => {
    const { north, south, clock, matrix } = await twoRadios({ failover: true });
    north.setReady(false);
    matrix.sync([roomEvent({ body: 'short' })]);
    await clock.advance(7_000);
    north.setReady(true);
    await clock.advance(30_000);
    expect(south.sent).toEqual([]);
    expect(north.sent).toHaveLength(1);
  });
});

describe('the same channel', () => {
  const lora = { region: 'EU_868', modemPreset: 'LONG_FAST', bandwidthKhz: 250, spreadFactor: 11 } as RadioInfo['lora'];
  const info = (change: Partial<RadioInfo>): RadioInfo => ({ ...RADIO_INFO, ...change });

  it('is found by name under another number', () => {
    const other = info({ channels: [LONG_FAST, { ...HIKERS, index: 3, role: 'secondary' }] });
    expect(sameChannel(info({ channels: [HIKERS] }), 0, other)).toBe(3);
  });

  it('without a name is that of the preset', () => {
    const named = info({ channels: [{ ...LONG_FAST, name: 'LongFast' }] });
    expect(sameChannel(info({ lora, channels: [LONG_FAST] }), 0, named)).toBe(0);
  });

  it('without a name is not that of another preset', () => {
    const moderate = { ...lora, modemPreset: 'LONG_MODERATE' } as RadioInfo['lora'];
    const onBroker = (name: string): RadioInfo => info({ lora: null, channels: [{ ...LONG_FAST, name }] });
    expect(sameChannel(info({ lora: moderate, channels: [LONG_FAST] }), 0, onBroker('LongMod'))).toBe(0);
    expect(sameChannel(info({ lora: moderate, channels: [LONG_FAST] }), 0, onBroker('LongFast'))).toBeNull();
    const byHand = { ...lora, modemPreset: null } as RadioInfo['lora'];
    expect(sameChannel(info({ lora: byHand, channels: [LONG_FAST] }), 0, onBroker('Custom'))).toBe(0);
  });

  it.each([
    ['another region', { lora: { ...lora, region: 'US' } as RadioInfo['lora'] }],
    ['another preset', { lora: { ...lora, modemPreset: 'LONG_MODERATE', bandwidthKhz: 125 } as RadioInfo['lora'] }],
    ['other numbers', { lora: { ...lora, spreadFactor: 12 } as RadioInfo['lora'] }],
    ['another key', { channels: [{ ...LONG_FAST, keyId: 'theirs' }] }],
    ['a disabled slot', { channels: [{ ...LONG_FAST, role: 'disabled' as const }] }],
  ])('is not one in %s', (_what, change) => {
    expect(
      sameChannel(info({ lora, channels: [LONG_FAST] }), 0, info({ lora, channels: [LONG_FAST], ...change })),
    ).toBeNull();
  });
});
