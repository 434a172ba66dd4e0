import { describe, expect, it } from 'vitest';
import { GuestQueue } from '../../../src/relay/lanes/guest-queue.ts';
import type { GuestPacket } from '../../../src/relay/ports.ts';
import { ManualClock } from '../../../src/util/manual-clock.ts';
import { type EngineFixture, startEngine } from '../../support/engine-fixture.ts';
import { NOW_MS, roomEvent, settings } from '../../support/relay-fixture.ts';

const SLOT_MS = 2_015;

interface Guest extends GuestPacket {
  readonly told: string[];
}

let nextId = 50_000;
function guest(name: string, portnum = 1): Guest {
  nextId += 1;
  const told: string[] = [];
  return {
    id: nextId,
    guest: name,
    isText: portnum === 1,
    portnum,
    bytes: Uint8Array.of(1),
    told,
    onTaken: () => told.push('taken'),
    onRefused: (error) => told.push(error),
  };
}

/** The engine, with what left for the radio in order and time: `relay`, or the name of a guest. */
async function lane(): Promise<EngineFixture & { readonly left: { who: string; atMs: number }[] }> {
  const fixture = await startEngine({ settings: settings({ userRate: { perMinute: 600, burst: 100 } }) });
  const { radio, clock } = fixture;
  const left: { who: string; atMs: number }[] = [];
  const answer = (id: number): void => radio.sink?.onQueueStatus({ res: 0, free: 15, maxlen: 16, packetId: id });
  radio.answer = (packet) => {
    left.push({ who: 'relay', atMs: clock.now() - NOW_MS });
    answer(packet.id);
  };
  const sendGuest = (packet: GuestPacket): Promise<void> => {
    left.push({ who: packet.guest, atMs: clock.now() - NOW_MS });
    queueMicrotask(() => answer(packet.id));
    return Promise.resolve();
  };
  Object.assign(radio, { sendGuest });
  return { ...fixture, left };
}

function texts({ matrix }: EngineFixture, count: number): void {
  matrix.sync(
    Array.from({ length: count }, (_, index) => roomEvent({ eventId: `$${nextId}-${index}`, body: `t${index}` })),
  );
}

describe('the send slot', () => {
  it('is shared in turn between the relay and the clients together', async () => {
    const fixture = await lane();
    for (const name of ['anna', 'anna', 'anna', 'bert', 'bert', 'carl'])
      fixture.engine.offerGuest('default', guest(name));
    texts(fixture, 6);
    await fixture.clock.advance(60_000);

    const order = fixture.left.map(({ who }) => who);
    expect(order).toHaveLength(12);
    const relayAt = order.flatMap((who, index) => (who === 'relay' ? [index] : []));
    // Between two texts of the relay at most one of all clients.
    for (let at = 1; at < relayAt.length; at += 1) expect((relayAt[at] ?? 0) - (relayAt[at - 1] ?? 0)).toBeLessThan(3);
    expect(
      order
        .filter((who) => who !== 'relay')
        .slice(0, 3)
        .toSorted(),
    ).toEqual(['anna', 'bert', 'carl']);
  });

  it('keeps two seconds between any two texts', async () => {
    const fixture = await lane();
    for (let count = 0; count < 5; count += 1) fixture.engine.offerGuest('default', guest('anna'));
    texts(fixture, 5);
    await fixture.clock.advance(60_000);

    const times = fixture.left.map(({ atMs }) => atMs);
    for (let at = 1; at < times.length; at += 1)
      expect((times[at] ?? 0) - (times[at - 1] ?? 0)).toBeGreaterThanOrEqual(2_000);
  });

  it('delays a text of the relay by one slot at most, however many clients push', async () => {
    const fixture = await lane();
    for (let who = 0; who < 10; who += 1)
      for (let count = 0; count < 16; count += 1) fixture.engine.offerGuest('default', guest(`client ${who}`));
    await fixture.clock.advance(10 * SLOT_MS);
    const askedMs = fixture.clock.now() - NOW_MS;
    texts(fixture, 1);
    await fixture.clock.advance(3 * SLOT_MS);

    const sent = fixture.left.find(({ who }) => who === 'relay');
    expect((sent?.atMs ?? Number.POSITIVE_INFINITY) - askedMs).toBeLessThanOrEqual(SLOT_MS + 10);
  });

  it('does not put a client between the parts of one text', async () => {
    const fixture = await lane();
    const long = 'word '.repeat(90);
    fixture.matrix.sync([roomEvent({ body: long })]);
    await fixture.clock.advance(0);
    for (const name of ['anna', 'bert']) fixture.engine.offerGuest('default', guest(name));
    await fixture.clock.advance(20_000);

    expect(fixture.left.map(({ who }) => who)).toEqual(['relay', 'relay', 'relay', 'anna', 'bert']);
  });

  it('is not waited for by what is no text', async () => {
    const fixture = await lane();
    fixture.engine.offerGuest('default', guest('anna'));
    await fixture.clock.advance(10);
    const other = guest('bert', 4);
    fixture.engine.offerGuest('default', other);
    await fixture.clock.advance(10);

    expect(fixture.left.map(({ who }) => who)).toEqual(['anna', 'bert']);
    expect(other.told).toEqual(['taken']);
  });
});

const POSITION = 3;
const TRACEROUTE = 70;

describe('what is no text', () => {
  it('goes at the pace the radio has for its kind, whosever it is: sooner it would drop it without a word', async () => {
    const fixture = await lane();
    const [first, second, trace, again] = [
      guest('anna', POSITION),
      guest('bert', POSITION),
      guest('bert', TRACEROUTE),
      guest('anna', TRACEROUTE),
    ];
    for (const packet of [first, second, trace, again]) fixture.engine.offerGuest('default', packet);
    await fixture.clock.advance(45_000);

    expect([first, second, trace, again].map(({ told }) => told)).toEqual([['taken'], ['taken'], ['taken'], ['taken']]);
    expect(fixture.left).toEqual([
      { who: 'anna', atMs: 0 },
      { who: 'bert', atMs: 0 },
      { who: 'bert', atMs: 10_015 },
      { who: 'anna', atMs: 30_015 },
    ]);
  });

  it('holds up no text meanwhile', async () => {
    const fixture = await lane();
    for (const name of ['anna', 'bert']) fixture.engine.offerGuest('default', guest(name, POSITION));
    texts(fixture, 2);
    fixture.engine.offerGuest('default', guest('carl'));
    await fixture.clock.advance(9_000);
    expect(fixture.left.map(({ who }) => who)).toEqual(['anna', 'carl', 'relay', 'relay']);
  });
});

describe('a packet of a client', () => {
  it('is refused as late when its turn does not come within a minute', async () => {
    const fixture = await lane();
    const many = ['anna', 'bert', 'carl'].flatMap((name) => Array.from({ length: 16 }, () => guest(name)));
    for (const packet of many) fixture.engine.offerGuest('default', packet);
    await fixture.clock.advance(90_000);
    const told = many.map((packet) => packet.told.join());
    expect([told.filter((word) => word === 'taken').length, told.filter((word) => word === 'TIMEOUT').length]).toEqual([
      30, 18,
    ]);
  });

  it('is refused when nobody answers for a minute', async () => {
    const fixture = await lane();
    fixture.radio.setReady(false);
    const packet = guest('anna');
    fixture.engine.offerGuest('default', packet);
    await fixture.clock.advance(90_000);
    expect(packet.told).toEqual(['NO_INTERFACE']);
    fixture.radio.setReady(true);
    await fixture.clock.advance(10_000);
    expect(fixture.left).toEqual([]);
  });

  it('waits through a short cut and goes out once', async () => {
    const fixture = await lane();
    fixture.radio.setReady(false);
    const packet = guest('anna');
    fixture.engine.offerGuest('default', packet);
    await fixture.clock.advance(20_000);
    fixture.radio.setReady(true);
    await fixture.clock.advance(10_000);
    expect(packet.told).toEqual(['taken']);
    expect(fixture.left).toHaveLength(1);
  });

  it('is not taken beyond sixteen of one client', () => {
    const queue = new GuestQueue(new ManualClock());
    const taken = Array.from({ length: 20 }, () => queue.add(guest('anna')));
    expect(taken.filter(Boolean)).toHaveLength(16);
    expect(queue.add(guest('bert'))).toBe(true);
  });

  it('for a radio that is not there is not taken', async () => {
    const { engine } = await lane();
    expect(engine.offerGuest('other', guest('anna'))).toBe(false);
  });
});
