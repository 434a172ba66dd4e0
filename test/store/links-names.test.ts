import { join } from 'node:path';
import SqliteModule from 'better-sqlite3';
import { expect, test } from 'vitest';
import { open, scratch } from './fixtures.ts';
import { link } from './fixtures-plain.ts';

test('one packet in two rooms and one event in three packets are all found', () => {
  const { links } = open();
  links.add(link());
  links.add(link({ roomId: '!s:x', eventId: '$2', createdAtMs: 11 }));
  for (const packetId of [20, 21, 22]) links.add(link({ eventId: '$3', direction: 'to-mesh', packetId }));
  expect(links.byEvent('$3').map((row) => row.packetId)).toEqual([20, 21, 22]);
  expect(links.byPacket({ radio: 'a', packetId: 7 })?.eventId).toBe('$2');
  expect(links.byPacket({ radio: 'a', packetId: 7, roomId: '!r:x' })).toEqual(link());
  expect(links.byPacket({ radio: 'b', packetId: 7 })).toBeNull();
  expect(links.byPacket({ radio: 'a', packetId: 7, sender: 2 })).toBeNull();
  links.add(link({ text: 'again' }));
  expect(links.byEvent('$1')).toEqual([link({ text: 'again' })]);
});

test('pruning keeps the newest, and what it forgets is forgotten in the old table too', () => {
  const { links } = open();
  for (let n = 1; n <= 10; n += 1) links.add(link({ eventId: `$${n}`, packetId: n, createdAtMs: n }));
  expect(links.prune({ beforeMs: 8, keepAtLeast: 5 })).toBe(5);
  expect(links.byEvent('$5')).toEqual([]);
  expect(links.byPacket({ radio: 'a', packetId: 5 })).toBeNull();
  expect(links.byEvent('$6')).toHaveLength(1);
  expect(links.prune({ beforeMs: 100, keepAtLeast: 0 })).toBe(5);
});

test('the old table keeps the configured number of rows; a wipe empties both', () => {
  const path = join(scratch(), 'db.sqlite');
  const store = open({ path, keepOldRows: 3 });
  for (let n = 1; n <= 120; n += 1) store.links.add(link({ eventId: `$${n}`, packetId: n }));
  store.links.prune({ beforeMs: 0, keepAtLeast: 0 });
  const raw = new SqliteModule(path, { readonly: true });
  const rows = (): unknown[] => raw.prepare('SELECT matrix_event_id FROM message_map ORDER BY rowid').pluck().all();
  expect(rows()).toEqual(['$118', '$119', '$120']);
  store.wipeLinks();
  expect(rows()).toEqual([]);
  expect(store.links.byEvent('$120')).toEqual([]);
  raw.close();
  store.close();
});

test('names: what a radio forgets stays known, and an undone change is not remembered', () => {
  const store = open();
  const { names } = store;
  expect(names.get(5)).toBeNull();
  names.put(5, { longName: 'Long', shortName: 'L', lastSeenMs: 10 });
  names.put(5, { longName: null, shortName: 'M', lastSeenMs: 4 });
  expect(names.get(5)).toEqual({ longName: 'Long', shortName: 'M', lastSeenMs: 10 });
  const undone = (): void =>
    store.transaction(() => {
      names.put(5, { longName: 'Wrong', shortName: null, lastSeenMs: 99 });
      expect(names.get(5)?.longName).toBe('Wrong');
      throw new Error('undone');
    });
  expect(undone).toThrow('undone');
  expect(names.get(5)).toEqual({ longName: 'Long', shortName: 'M', lastSeenMs: 10 });
});

test('names: of too many, those heard last are kept, in the tables of an old relay too', () => {
  const path = join(scratch(), 'db.sqlite');
  const store = open({ path });
  for (let num = 1; num <= 10; num += 1)
    store.names.put(num, { longName: 'Twin', shortName: `${num}`, lastSeenMs: num % 2 === 0 ? 100 + num : num });
  expect(store.names.prune(3)).toBe(7);
  expect(store.names.prune(3)).toBe(0);
  expect(store.names.isShared('Twin')).toBe(true);
  store.close();

  const { names } = open({ path });
  const kept = Array.from({ length: 10 }, (_, i) => i + 1).filter((num) => names.get(num) !== null);
  expect(kept).toEqual([6, 8, 10]);
  names.prune(1);
  expect(names.isShared('Twin')).toBe(false);
});

test('values and plugin data', () => {
  const { values, pluginData } = open();
  expect(values.get('token')).toBeNull();
  values.set('token', 's1');
  values.set('token', 's2');
  expect(values.get('token')).toBe('s2');
  values.delete('token');
  expect(values.get('token')).toBeNull();
  for (let n = 0; n < 5; n += 1) pluginData.append('telemetry', '!a1b2c3d4', { n }, { keepNewest: 2 });
  expect(pluginData.get('telemetry', '!a1b2c3d4')).toEqual([{ n: 3 }, { n: 4 }]);
  pluginData.set('p', 'k', 'ü', 5);
  expect(pluginData.usedBytes('p')).toBe(5);
  expect(() => pluginData.set('p', 'k2', 1, 5)).toThrow(expect.objectContaining({ code: 'PLUGIN_QUOTA' }));
  expect(pluginData.all('p')).toEqual(new Map([['k', 'ü']]));
  pluginData.delete('p', 'k');
  expect(pluginData.get('p', 'k')).toBeNull();
  expect(pluginData.get('telemetry', '!a1b2c3d4')).not.toBeNull();
});

test('a packet that goes out under another id is found under that one, its place among the parts kept', () => {
  const path = join(scratch(), 'db.sqlite');
  const store = open({ path });
  for (const packetId of [20, 21]) store.links.add(link({ eventId: '$3', direction: 'to-mesh', sender: 1, packetId }));
  store.links.add(link({ eventId: '$4', packetId: 20 }));
  store.links.renumber(20, { packetId: 30, sender: 2 });
  expect(store.links.byEvent('$3')).toMatchObject([{ packetId: 30, sender: 2 }, { packetId: 21 }]);
  expect(store.links.byPacket({ radio: 'a', packetId: 30 })?.eventId).toBe('$3');
  expect(store.links.byPacket({ radio: 'a', packetId: 20 })?.eventId).toBe('$4');
  const raw = new SqliteModule(path, { readonly: true });
  const rows = raw.prepare('SELECT meshtastic_id FROM message_map ORDER BY rowid').pluck().all();
  expect(rows).toEqual(['30', '20']);
  raw.close();
  store.close();
});
