import { expect, test } from 'vitest';
import { open } from './fixtures.ts';
import { event, packet } from './fixtures-plain.ts';

test('a packet is taken once, whichever radio heard it, and read back byte for byte', () => {
  const { inbox } = open();
  const heard = packet();
  const rowId = inbox.addPacket('a', heard, 50);
  expect(rowId).not.toBeNull();
  expect(inbox.addPacket('a', heard, 51)).toBeNull();
  expect(inbox.addPacket('b', packet({ channel: 1 }), 52)).toBeNull();
  expect(inbox.addPacket('a', packet({ from: 9 }), 53)).not.toBeNull();
  expect(inbox.pending(1)).toEqual([{ rowId, receivedAtMs: 50, item: { kind: 'mesh', radio: 'a', packet: heard } }]);
});

test('packets without id are told apart by content and receive time', () => {
  const { inbox } = open();
  const blank = packet({ id: 0 });
  expect(inbox.addPacket('a', blank, 1)).not.toBeNull();
  expect(inbox.addPacket('b', blank, 9_000_000)).toBeNull();
  expect(inbox.addPacket('a', { ...blank, payload: new Uint8Array([1]) }, 1)).not.toBeNull();
  expect(inbox.addPacket('a', { ...blank, rxTimeS: 1_750_000_001 }, 1)).not.toBeNull();
});

test('without id and clock the same words are a copy at once and news an hour later', () => {
  const { inbox } = open();
  const blind = packet({ id: 0, rxTimeS: 0 });
  expect(inbox.addPacket('a', blind, 1)).not.toBeNull();
  expect(inbox.addPacket('a', blind, 2)).toBeNull();
  expect(inbox.addPacket('a', blind, 3_600_000)).not.toBeNull();
});

test('an event is taken once and known by its id', () => {
  const { inbox } = open();
  expect(inbox.hasEvent('$1')).toBe(false);
  const rowId = inbox.addEvent(event('$1'), 5);
  expect(inbox.addEvent(event('$1'), 6)).toBeNull();
  expect(inbox.hasEvent('$1')).toBe(true);
  expect(inbox.pending(10)).toEqual([{ rowId, receivedAtMs: 5, item: { kind: 'room', event: event('$1') } }]);
});

test('the echo of an own packet is a duplicate and nothing to process', () => {
  const { inbox } = open();
  inbox.noteOwnPacket(0xa1b2c3d4, 7, 1);
  inbox.noteOwnPacket(0xa1b2c3d4, 7, 2);
  expect(inbox.addPacket('a', packet(), 3)).toBeNull();
  expect(inbox.pending(10)).toEqual([]);
});

test('a processed row leaves its key behind until pruned; a pending row is never pruned', () => {
  const { inbox } = open();
  const first = inbox.addEvent(event('$1'), 1) ?? 0;
  inbox.addEvent(event('$2'), 2);
  inbox.markDone(first);
  expect(inbox.pending(10).map((row) => row.receivedAtMs)).toEqual([2]);
  expect(inbox.addEvent(event('$1'), 3)).toBeNull();
  expect(inbox.prune(1000)).toBe(1);
  expect(inbox.pending(10)).toHaveLength(1);
  const again = inbox.addEvent(event('$1'), 4);
  expect(again).toBeGreaterThan(first);
});

test('a signal measurement that is no number does not spoil the packet', () => {
  const { inbox } = open();
  inbox.addPacket('a', packet({ rxSnr: Number.NaN }), 1);
  expect(inbox.pending(1)[0]?.item).toEqual({ kind: 'mesh', radio: 'a', packet: packet({ rxSnr: 0 }) });
});
