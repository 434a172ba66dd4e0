import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { browseRadios, type MdnsOptions, radiosOf, resolveLocal } from '../../../src/radio/mdns/browse.ts';
import { localNameLookup } from '../../../src/radio/mdns/lookup.ts';
import type { DnsRecord } from '../../../src/radio/mdns/message.ts';
import { ManualClock } from '../../../src/util/manual-clock.ts';
import { encodeAnswer } from './wire.ts';

const SERVICE = '_meshtastic._tcp.local';

/** What firmware 2.7 announces (mDNS names of instances and hosts, TXT shortname, id, pio_env). */
function announcement(instance: string, host: string, address: string): readonly DnsRecord[] {
  return [
    { type: 'ptr', name: SERVICE, target: `${instance}.${SERVICE}` },
    { type: 'srv', name: `${instance}.${SERVICE}`, target: host, port: 4403 },
    { type: 'txt', name: `${instance}.${SERVICE}`, values: { shortname: 'ALI', id: '!0a11ce01', pio_env: 'tbeam' } },
    { type: 'address', name: host, family: 4, address },
  ];
}

const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) await new Promise<void>((resolve) => void socket.close(() => resolve()));
});

/** A responder on loopback; `answers` gives the packets for each question that comes. */
async function responder(
  answers: (count: number) => readonly Buffer[],
): Promise<Omit<MdnsOptions, 'clock' | 'signal'>> {
  const socket = createSocket('udp4');
  sockets.push(socket);
  let count = 0;
  socket.on('message', (_query, from) => {
    count += 1;
    for (const answer of answers(count)) socket.send(answer, from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return { group: { address: '127.0.0.1', port: socket.address().port }, interfaces: ['127.0.0.1'] };
}

/** Moves the clock while the real sockets work. */
async function during<T>(clock: ManualClock, work: Promise<T>): Promise<T> {
  const state = { done: false };
  const result = work.finally(() => {
    state.done = true;
  });
  while (!state.done) {
    await clock.advance(20);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return result;
}

const signal = new AbortController().signal;

describe('radios in the network', () => {
  it('are found by their announcement, each once', async () => {
    const alice = announcement('Alice', 'meshtastic.local', '192.0.2.7');
    const bob = announcement('Bob', 'meshtastic-2.local', '192.0.2.8').slice(0, 2);
    const where = await responder(() => [encodeAnswer(alice), encodeAnswer(bob, 'additional'), Buffer.from('noise')]);
    const clock = new ManualClock();
    const radios = await during(clock, browseRadios({ clock, signal, ...where }));
    expect(radios).toEqual([
      {
        host: 'meshtastic.local',
        address: '192.0.2.7',
        port: 4403,
        shortName: 'ALI',
        nodeId: '!0a11ce01',
        board: 'tbeam',
      },
      { host: 'meshtastic-2.local', address: null, port: 4403, shortName: null, nodeId: null, board: null },
    ]);
    expect(clock.pending()).toBe(0);
  });

  it('ignores services of other kinds', () => {
    const printer: readonly DnsRecord[] = [
      { type: 'ptr', name: '_ipp._tcp.local', target: 'Printer._ipp._tcp.local' },
      { type: 'srv', name: 'Printer._ipp._tcp.local', target: 'printer.local', port: 631 },
    ];
    expect(radiosOf(printer)).toEqual([]);
  });

  it('gives nothing in silence, and ends at once when cancelled', async () => {
    const where = await responder(() => []);
    const clock = new ManualClock();
    expect(await during(clock, browseRadios({ clock, signal, ...where }))).toEqual([]);
    const abort = new AbortController();
    const browsing = browseRadios({ clock, signal: abort.signal, ...where });
    abort.abort();
    expect(await browsing).toEqual([]);
    expect(await browseRadios({ clock, signal, ...where, interfaces: [] })).toEqual([]);
  });
});

describe('meshtastic.local', () => {
  const address: DnsRecord = { type: 'address', name: 'Meshtastic.local', family: 4, address: '127.0.0.1' };

  it('is resolved by asking, again when the first question was lost', async () => {
    const where = await responder((count) => (count === 1 ? [] : [encodeAnswer([address])]));
    const clock = new ManualClock();
    expect(await during(clock, resolveLocal('meshtastic.local.', { clock, signal, ...where }))).toBe('127.0.0.1');
    expect(clock.pending()).toBe(0);
  });

  it('is not found when only others answer', async () => {
    const where = await responder(() => [encodeAnswer([{ ...address, name: 'other.local' }])]);
    const clock = new ManualClock();
    expect(await during(clock, resolveLocal('meshtastic.local', { clock, signal, ...where }))).toBeNull();
  });

  it('serves a socket as its lookup', async () => {
    const where = await responder(() => [encodeAnswer([{ ...address, name: 'no-such-radio.local' }])]);
    const clock = new ManualClock();
    const lookup = localNameLookup(clock, where);
    const found = await during(
      clock,
      new Promise((resolve) =>
        lookup('no-such-radio.local', { all: true }, (error, addresses) => resolve(error ?? addresses)),
      ),
    );
    expect(found).toEqual([{ address: '127.0.0.1', family: 4 }]);
    const failed = await during(
      clock,
      new Promise((resolve) => lookup('no-such-host.invalid', { all: true }, (error) => resolve(error?.code))),
    );
    expect(failed).toMatch(/ENOTFOUND|EAI_AGAIN/);
  });
});
