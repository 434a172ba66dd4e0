import { once } from 'node:events';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createVirtualRadio, type VirtualRadio } from '../../../src/sandbox/radio/virtual-radio.ts';
import { ManualClock, settle } from '../../../src/util/manual-clock.ts';
import { TestClient } from './test-client.ts';

let clock: ManualClock;
let radio: VirtualRadio;
let client: TestClient;

beforeEach(async () => {
  clock = new ManualClock();
  radio = await createVirtualRadio({ clock, nodes: [{ num: 5, longName: 'Near', shortName: '5' }] });
  client = await TestClient.ready(radio.port);
});
afterEach(async () => {
  client.close();
  await radio.close();
  expect(clock.pending()).toBe(0);
});

it('cuts in mid-frame: what went before arrives, the cut packet is on record as lost', async () => {
  radio.faults.cutMidFrame({ afterFrames: 1 });
  radio.node(5).sendText(0, 'whole');
  const id = radio.node(5).sendText(0, 'cut');
  radio.node(5).sendText(0, 'kept');
  await client.until(() => client.ended);
  expect(client.texts()).toEqual(['whole']);
  expect(radio.lost.map(({ packet, reason }) => [packet.id, reason])).toEqual([[id, 'cut']]);
  client = await TestClient.ready(radio.port);
  await client.until(() => client.texts().length === 1);
  expect(client.texts()).toEqual(['kept']);
});

it('writes junk, log text and lone start bytes between frames without harm to them', async () => {
  radio.faults.junk('INFO  | 12:00 hello\r\n');
  radio.faults.junkBetweenFrames = () => Uint8Array.of(0x94, 0x0a, 0xc3, 0x94);
  for (let n = 0; n < 5; n += 1) radio.node(5).sendText(0, `t${n}`);
  await client.until(() => client.texts().length === 5);
  expect(client.texts()).toEqual(['t0', 't1', 't2', 't3', 't4']);
  expect(client.junkBytes).toBeGreaterThan(20);
});

it('stalls half open: neither answers nor closes, and goes on where it was', async () => {
  radio.faults.stall();
  radio.node(5).sendText(0, 'later');
  client.send({ case: 'heartbeat', value: {} });
  await settle();
  expect(client.texts()).toEqual([]);
  expect(client.ended).toBe(false);
  expect(radio.waitingPackets).toBe(1);
  radio.faults.resume();
  await client.until(() => client.texts().length === 1);
});

it('never completes the configuration when told so', async () => {
  radio.faults.neverCompleteConfig = true;
  client.send({ case: 'wantConfigId', value: 99 });
  await client.sync();
  expect(client.all('configCompleteId')).toEqual([4711]);
});

it('refuses connections and comes back on the same port', async () => {
  const { port } = radio;
  await radio.refuse();
  await client.until(() => client.ended);
  await expect(TestClient.connect(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await radio.accept();
  client = await TestClient.ready(port);
  expect(radio.port).toBe(port);
});

it('trickles frames in pieces', async () => {
  radio.faults.slowWrites = { pieceBytes: 7, everyMs: 100 };
  radio.node(5).sendText(0, 'slowly');
  await clock.advance(100);
  expect(client.texts()).toEqual([]);
  await clock.advance(2000);
  await client.until(() => client.texts().length === 1);
});

it('loses a QueueStatus, and only as many as told', async () => {
  radio.faults.loseQueueStatus(1);
  client.packet(1);
  client.packet(2, { portnum: 256 });
  await client.sync();
  expect(client.all('queueStatus').map((status) => status.meshPacketId)).not.toContain(1);
  expect(client.all('queueStatus').map((status) => status.meshPacketId)).toContain(2);
});

it('closes with a client that does not read, and leaves no timer behind', async () => {
  client.socket.pause();
  client.packet(1, { wantAck: true });
  await radio.close();
  const late = new TestClient(radio.port);
  const [error] = (await once(late.socket, 'error')) as [NodeJS.ErrnoException];
  expect(error.code).toBe('ECONNREFUSED');
  expect(clock.pending()).toBe(0);
});
