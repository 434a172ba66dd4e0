import { afterEach, describe, expect, it } from 'vitest';
import {
  createVirtualRadio,
  type VirtualRadio,
  type VirtualRadioOptions,
} from '../../../src/sandbox/radio/virtual-radio.ts';
import { airtimeMs, frameBytes, MODEM_PRESETS } from '../../../src/util/airtime.ts';
import { ManualClock } from '../../../src/util/manual-clock.ts';
import { TestClient } from './test-client.ts';

const NEIGHBOUR = { num: 5, longName: 'Five', shortName: '5' };
const METRICS = { batteryLevel: 88, voltage: 4.1, channelUtilization: 3, airUtilTx: 1, uptimeS: 60 };
let clock: ManualClock;
let radio: VirtualRadio;
let client: TestClient | null = null;

async function start(options: VirtualRadioOptions = {}): Promise<void> {
  clock = new ManualClock();
  radio = await createVirtualRadio({ clock, nodes: [NEIGHBOUR], random: () => 0, ...options });
}
async function ready(): Promise<TestClient> {
  client = await TestClient.ready(radio.port);
  await client.sync();
  return client;
}
afterEach(async () => {
  client?.close();
  client = null;
  await radio.close();
});

describe('to-phone queue', () => {
  it.each([8, 16, 32] as const)('keeps %i packets while nobody reads; a text evicts the oldest', async (depth) => {
    await start({ phoneQueueDepth: depth });
    for (let n = 0; n < depth + 3; n += 1) radio.node(5).sendText(0, `t${n}`);
    const reader = await ready();
    expect(reader.texts()).toEqual(Array.from({ length: depth }, (_, n) => `t${n + 3}`));
    expect(radio.counters).toMatchObject({ evicted: 3, dropped: 0, handedOver: depth });
    expect(radio.lost).toHaveLength(3);
  });

  it('drops what is no text when full, and a text evicts the oldest of any kind', async () => {
    await start({ phoneQueueDepth: 8 });
    radio.node(5).sendTelemetry(METRICS);
    for (let n = 0; n < 7; n += 1) radio.node(5).sendText(0, `t${n}`);
    radio.node(5).sendTelemetry(METRICS);
    expect(radio.counters).toMatchObject({ dropped: 1, evicted: 0 });
    radio.node(5).sendText(0, 'last');
    expect(radio.lost.map(({ packet, reason }) => [packet.portnum, reason])).toEqual([
      [67, 'dropped'],
      [67, 'evicted'],
    ]);
  });

  it('is lost by a reboot, which also refuses connections for a while', async () => {
    await start();
    const first = await ready();
    first.close();
    await first.until(() => !radio.connected || first.ended);
    radio.node(5).sendText(0, 'stored');
    await radio.reboot({ downMs: 500 });
    await expect(TestClient.connect(radio.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await clock.advance(500);
    const reader = await ready();
    expect(reader.texts()).toEqual([]);
  });

  it('says rebooted on a connection that stays, and then nothing until asked', async () => {
    await start();
    const reader = await ready();
    await radio.reboot({ tcp: 'stay' });
    await reader.until(() => reader.all('rebooted').length === 1);
    radio.node(5).sendText(0, 'after');
    await reader.sync();
    expect(reader.texts()).toEqual([]);
    reader.send({ case: 'wantConfigId', value: 2 });
    await reader.until(() => reader.texts().length === 1);
  });

  it('drops a packet it has seen, unless told to play an old one again', async () => {
    await start();
    const reader = await ready();
    const id = radio.node(5).sendText(0, 'once');
    radio.node(5).sendText(0, 'once', { id });
    const packet = radio.mesh.packetFrom(5, { id, portnum: 1, payload: Buffer.from('again') });
    radio.injectPacket(packet);
    radio.injectPacket(packet, { evenIfSeen: true });
    await reader.until(() => reader.texts().includes('again'));
    expect(reader.texts()).toEqual(['once', 'again']);
  });
});

describe('transmit queue', () => {
  it('takes 16 and refuses the next of the same priority; frees with the time on air; says when there is room', async () => {
    await start();
    const sender = await ready();
    for (let id = 1; id <= 17; id += 1) sender.packet(id, { portnum: 256, bytes: 100 });
    await sender.sync();
    const statuses = sender.all('queueStatus').filter((status) => status.meshPacketId !== 0);
    expect(statuses.map(({ free }) => free)).toEqual([15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0]);
    expect(statuses.map(({ res }) => res)).toEqual([...Array.from({ length: 16 }, () => 0), 32]);
    expect(radio.counters.queueFull).toBe(1);
    const before = sender.all('queueStatus').length;
    await clock.advance(1);
    await sender.until(() => sender.all('queueStatus').length > before);
    expect(sender.all('queueStatus').at(-1)).toMatchObject({ free: 1, maxlen: 16, meshPacketId: 0 });
    expect(radio.mesh.raw).toHaveLength(0);
    const toaMs = airtimeMs(frameBytes(100), MODEM_PRESETS.SHORT_FAST);
    await clock.advance(16 * Math.ceil(toaMs));
    expect(radio.mesh.raw.map((record) => record.packet.id)).toEqual(Array.from({ length: 16 }, (_, n) => n + 1));
    const spacing = (radio.mesh.raw[1]?.atMs ?? 0) - (radio.mesh.raw[0]?.atMs ?? 0);
    expect(spacing).toBeCloseTo(toaMs, 3);
  });

  it('lets a text take the place of a lesser packet when full', async () => {
    await start();
    const sender = await ready();
    for (let id = 1; id <= 16; id += 1) sender.packet(id, { portnum: 256 });
    sender.packet(99);
    await sender.sync();
    expect(sender.all('queueStatus').find((status) => status.meshPacketId === 99)?.res).toBe(0);
    await clock.advance(10_000);
    expect(radio.mesh.raw.map((record) => record.packet.id)).toEqual([
      99,
      ...Array.from({ length: 15 }, (_, n) => n + 1),
    ]);
  });

  it('refuses above the duty cycle, with a notification, and sends again an hour later', async () => {
    await start({ dutyPercent: 0.001 });
    const sender = await ready();
    sender.packet(1, { bytes: 100 });
    await sender.sync();
    await clock.advance(2000);
    sender.packet(2);
    await sender.sync();
    expect(sender.routing()).toEqual([{ id: 2, error: 'DUTY_CYCLE_LIMIT', from: radio.nodeNum }]);
    expect(sender.all('clientNotification')[0]).toMatchObject({ replyId: 2 });
    expect(sender.all('clientNotification')[0]?.message).toContain('again in 60 mins');
    await clock.advance(600_000);
    await sender.sync();
    await clock.advance(600_000);
    await sender.sync();
    for (let n = 0; n < 4; n += 1) {
      await clock.advance(600_000);
      await sender.sync();
    }
    sender.packet(3);
    await sender.sync();
    expect(sender.all('queueStatus').find((status) => status.meshPacketId === 3)?.res).toBe(0);
  });

  it('does not transmit before its region is set', async () => {
    await start({ region: 'UNSET' });
    const sender = await ready();
    sender.packet(1);
    await sender.sync();
    expect(sender.all('queueStatus').find((status) => status.meshPacketId === 1)?.res).toBe(34);
  });
});
