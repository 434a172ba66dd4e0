import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createVirtualRadio, type VirtualRadio } from '../../../src/sandbox/radio/virtual-radio.ts';
import { ManualClock } from '../../../src/util/manual-clock.ts';
import { TestClient } from './test-client.ts';

const NEIGHBOUR = { num: 5, longName: 'Five', shortName: '5' };
let clock: ManualClock;
let radio: VirtualRadio;
let client: TestClient;

beforeEach(async () => {
  clock = new ManualClock();
  radio = await createVirtualRadio({ clock, nodes: [NEIGHBOUR], random: () => 0.5 });
  client = await TestClient.ready(radio.port);
  await client.sync();
});
afterEach(async () => {
  client.close();
  await radio.close();
});

/** Statuses with a packet id, and routing answers, in the order they came. */
function answers(): string[] {
  const routing = client.routing();
  return client.frames.flatMap((frame) => {
    if (frame.case === 'queueStatus' && frame.value.meshPacketId !== 0) {
      return [`status ${frame.value.meshPacketId} res ${frame.value.res}`];
    }
    return frame.case === 'packet' && frame.value.payloadVariant.case === 'decoded'
      ? routing.splice(0, 1).map(({ id, error }) => `routing ${id} ${error}`)
      : [];
  });
}

describe('the 2 s rule', () => {
  it('answers excess with QueueStatus res 0 and then RATE_LIMIT_EXCEEDED, and does not send it', async () => {
    client.packet(1);
    client.packet(2);
    await client.sync();
    expect(answers()).toEqual(['status 1 res 0', 'status 2 res 0', 'routing 2 RATE_LIMIT_EXCEEDED']);
    await clock.advance(2000);
    expect(radio.mesh.raw.map((record) => record.packet.id)).toEqual([1]);
    expect(radio.counters).toMatchObject({ accepted: 1, rateLimited: 1 });
  });

  it('counts from the last accepted text: refused ones do not push it on', async () => {
    client.packet(1);
    await client.sync();
    await clock.advance(1999);
    client.packet(2);
    await client.sync();
    await clock.advance(1);
    client.packet(3);
    await client.sync();
    expect(radio.counters).toMatchObject({ accepted: 2, rateLimited: 1 });
  });

  it('ignores the resend of a refused id on the same connection, and takes it on another', async () => {
    client.packet(1);
    client.packet(2);
    await client.sync();
    await clock.advance(5000);
    const before = client.frames.length;
    client.packet(2);
    await client.sync();
    expect(client.frames.length - before).toBe(1);
    expect(radio.counters.repeated).toBe(1);
    client.close();
    client = await TestClient.ready(radio.port);
    client.packet(2);
    await client.sync();
    expect(answers()).toContain('status 2 res 0');
    expect(radio.counters.accepted).toBe(2);
  });

  it('forgets an id after twenty others', async () => {
    for (let id = 1; id <= 21; id += 1) client.packet(id, { portnum: 256 });
    client.packet(1, { portnum: 256 });
    client.packet(21, { portnum: 256 });
    await client.sync();
    expect(radio.counters.repeated).toBe(1);
  });
});

it.each([3, 8, 11, 67])('limits portnum %i to one in 10 s, with a QueueStatus alone', async (portnum) => {
  client.packet(1, { portnum });
  client.packet(2, { portnum });
  await client.sync();
  expect(answers()).toEqual(['status 1 res 0', 'status 2 res 0']);
  expect(radio.counters.rateLimited).toBe(1);
  await clock.advance(10_000);
  client.packet(3, { portnum });
  await client.sync();
  expect(radio.counters.accepted).toBe(2);
});

it('limits traceroute to one in 30 s and refuses it to everybody, with a notification', async () => {
  client.packet(1, { portnum: 70 });
  client.packet(2, { portnum: 70, to: 5 });
  client.packet(3, { portnum: 70, to: 5 });
  await client.sync();
  expect(client.all('clientNotification').map(({ replyId }) => replyId)).toEqual([1, 3]);
  expect(radio.counters).toMatchObject({ accepted: 1, rateLimited: 2 });
});

it('refuses what does not fit: TOO_LARGE at 233 bytes, silence above as nanopb has it', async () => {
  client.packet(1, { bytes: 233 });
  await client.sync();
  expect(answers()).toEqual(['status 1 res 7', 'routing 1 TOO_LARGE']);
  client.packet(2, { bytes: 234 });
  await client.sync();
  expect(answers()).toHaveLength(2);
  expect(radio.counters.malformed).toBe(1);
  await clock.advance(2000);
  client.packet(3, { bytes: 232 });
  await client.sync();
  expect(answers().at(-1)).toBe('status 3 res 0');
});

it('answers NO_CHANNEL for a channel that is not there', async () => {
  client.packet(1, { channel: 3 });
  await client.sync();
  expect(answers()).toEqual(['status 1 res 6', 'routing 1 NO_CHANNEL']);
});

it('closes a client that says nothing for 15 minutes, but not one that sends heartbeats', async () => {
  await clock.advance(10 * 60_000);
  await client.sync();
  await clock.advance(14 * 60_000);
  expect(client.ended).toBe(false);
  await clock.advance(60_000);
  await client.until(() => client.ended);
  expect(radio.counters.idleClosed).toBe(1);
});

it('closes the first client when a second comes', async () => {
  const second = await TestClient.ready(radio.port);
  await client.until(() => client.ended);
  radio.node(5).sendText(0, 'hi');
  await second.until(() => second.texts().length === 1);
  expect(radio.counters.kicked).toBe(1);
  second.close();
});
