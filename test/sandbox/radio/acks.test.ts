import { afterEach, beforeEach, expect, it } from 'vitest';
import { createVirtualRadio, type VirtualRadio } from '../../../src/sandbox/radio/virtual-radio.ts';
import { ackTimeoutMs, frameBytes, MODEM_PRESETS } from '../../../src/util/airtime.ts';
import { ManualClock } from '../../../src/util/manual-clock.ts';
import { TestClient } from './test-client.ts';

const KEY = new Uint8Array(32).fill(9);
const ACK_MS = ackTimeoutMs(frameBytes(10), MODEM_PRESETS.SHORT_FAST);
let clock: ManualClock;
let radio: VirtualRadio;
let client: TestClient;

beforeEach(async () => {
  clock = new ManualClock();
  const nodes = [
    { num: 5, longName: 'Near', shortName: '5' },
    { num: 6, longName: 'Far', shortName: '6', hopsAway: 2 },
    { num: 7, longName: 'Keyed', shortName: '7', publicKey: KEY },
    { num: 8, longName: 'Stranger', shortName: '8', publicKey: KEY, known: false },
  ];
  radio = await createVirtualRadio({ clock, nodes, random: () => 0 });
  client = await TestClient.ready(radio.port);
});
afterEach(async () => {
  client.close();
  await radio.close();
});

/** Everything that happens to packet 1 within a minute; heartbeats keep the order of real and virtual time. */
async function outcome(fields: Parameters<TestClient['packet']>[1]): Promise<string[]> {
  client.packet(1, fields);
  await client.sync();
  await clock.advance(60_000);
  await client.sync();
  return client.routing().map(({ id, error, from }) => `${id} ${error} from ${from === radio.nodeNum ? 'self' : from}`);
}

it('takes a rebroadcast by a neighbour for the acknowledgement of a broadcast', async () => {
  expect(await outcome({ wantAck: true })).toEqual(['1 NONE from self']);
  expect(radio.mesh.raw).toHaveLength(1);
  expect(radio.mesh.raw[0]?.packet.wantAck).toBe(false);
});

it('says nothing about a broadcast that asked for nothing', async () => {
  expect(await outcome({})).toEqual([]);
});

it('sends three times and gives up with MAX_RETRANSMIT when nobody is around; nodes that return take one copy', async () => {
  for (const num of [5, 6, 7, 8]) radio.node(num).setOnline(false);
  client.packet(1, { wantAck: true });
  await client.sync();
  await clock.advance(3 * ACK_MS - 1);
  await client.sync();
  expect(client.routing()).toEqual([]);
  await clock.advance(1);
  await client.sync();
  expect(client.routing()).toEqual([{ id: 1, error: 'MAX_RETRANSMIT', from: radio.nodeNum }]);
  expect(radio.mesh.raw).toHaveLength(3);
  expect(radio.mesh.heard).toEqual([]);
  expect(radio.counters).toMatchObject({ transmitted: 1, retransmitted: 2 });
});

it('sends again when the mesh comes back in time, and the mesh takes a resend with the same id once', async () => {
  for (const num of [5, 6, 7, 8]) radio.node(num).setOnline(false);
  client.packet(1, { wantAck: true });
  await client.sync();
  await clock.advance(ACK_MS - 1);
  radio.node(5).setOnline(true);
  await clock.advance(ACK_MS);
  await client.sync();
  expect(client.routing().map(({ error }) => error)).toEqual(['NONE']);
  client.close();
  client = await TestClient.ready(radio.port);
  client.packet(1, { wantAck: true });
  await client.sync();
  await clock.advance(ACK_MS);
  expect(radio.mesh.raw).toHaveLength(3);
  expect(radio.mesh.heard).toHaveLength(1);
});

it('gets the acknowledgement of a direct neighbour from that neighbour', async () => {
  expect(await outcome({ to: 5, wantAck: true })).toEqual(['1 NONE from 5']);
});

it('hears a relay first, then the acknowledgement of a far addressee', async () => {
  expect(await outcome({ to: 6, wantAck: true })).toEqual(['1 NONE from self', '1 NONE from 6']);
});

it('hears only the relay when the addressee is away', async () => {
  radio.node(6).setOnline(false);
  expect(await outcome({ to: 6, wantAck: true })).toEqual(['1 NONE from self']);
});

it('encrypts to the key it knows; a keyed node that gets a legacy message answers NO_CHANNEL', async () => {
  expect(await outcome({ to: 7, wantAck: true })).toEqual(['1 NONE from 7']);
  expect(radio.mesh.heard[0]?.packet.pkiEncrypted).toBe(true);
  client.packet(2, { to: 8, wantAck: true });
  await client.sync();
  await clock.advance(10_000);
  await client.sync();
  expect(client.routing().at(-1)).toEqual({ id: 2, error: 'NO_CHANNEL', from: 8 });
});

it('refuses a PKI message to a node whose key it has not', async () => {
  const payloadVariant = { case: 'decoded', value: { portnum: 1, payload: Buffer.from('hi') } } as const;
  client.send({ case: 'packet', value: { id: 1, to: 8, pkiEncrypted: true, publicKey: KEY, payloadVariant } });
  await client.sync();
  expect(client.routing().map(({ error }) => error)).toEqual(['PKI_SEND_FAIL_PUBLIC_KEY']);
});

it('acknowledges a direct message of the mesh on air', async () => {
  const id = radio.node(5).sendText(0, 'psst', { to: radio.nodeNum, wantAck: true });
  await clock.advance(5000);
  await client.until(() => client.texts().length === 1);
  expect(radio.mesh.raw.map(({ packet }) => [packet.to, packet.portnum, packet.requestId])).toEqual([[5, 5, id]]);
});
