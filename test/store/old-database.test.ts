import { existsSync } from 'node:fs';
import { join } from 'node:path';
import SqliteModule from 'better-sqlite3';
import { expect, test } from 'vitest';
import { type Logger, silentLogger } from '../../src/util/logger.ts';
import { roomEvent } from '../support/relay-fixture.ts';
import { open, scratch } from './fixtures.ts';
import { link } from './fixtures-plain.ts';

const NAMES = `
  CREATE TABLE longnames (meshtastic_id TEXT PRIMARY KEY, longname TEXT);
  CREATE TABLE shortnames (meshtastic_id TEXT PRIMARY KEY, shortname TEXT);
  CREATE TABLE plugin_data (plugin_name TEXT, meshtastic_id TEXT, data TEXT, PRIMARY KEY (plugin_name, meshtastic_id));
  INSERT INTO longnames VALUES ('!a1b2c3d4', 'Alice'), ('305419896', 'Number'), ('rubbish', 'No node');
  INSERT INTO shortnames VALUES ('!a1b2c3d4', 'AL');
  INSERT INTO plugin_data VALUES ('telemetry', '!a1b2c3d4', '[{"time":1,"batteryLevel":90}]'), ('bad', 'x', '{');`;
const MAP_14 = `
  CREATE TABLE message_map (meshtastic_id TEXT, matrix_event_id TEXT PRIMARY KEY, matrix_room_id TEXT,
    meshtastic_text TEXT, meshtastic_meshnet TEXT);
  CREATE INDEX idx_message_map_meshtastic_id ON message_map (meshtastic_id);
  INSERT INTO message_map VALUES ('4000000000', '$1', '!r:x', 'hi', 'net'), ('4000000000', '$2', '!s:x', 'hi', 'net');`;
const OLD = { radio: '', sender: 0, direction: 'to-room', author: null, createdAtMs: 0 };
const FIRST = { ...OLD, packetId: 4_000_000_000, roomId: '!r:x', eventId: '$1', text: 'hi', meshnet: 'net' };

function home(sql: string): string {
  const path = join(scratch(), 'meshtastic.sqlite');
  const raw = new SqliteModule(path);
  raw.exec(sql);
  raw.close();
  return path;
}

function inFile<T>(path: string, sql: string): T[] {
  const raw = new SqliteModule(path);
  try {
    return raw.prepare<[], T>(sql).all();
  } finally {
    raw.close();
  }
}

test('a database of 1.4 opens with its names, links and plugin data, and a copy is kept', () => {
  const path = home(NAMES + MAP_14);
  const store = open({ path });
  expect(store.names.get(0xa1b2c3d4)).toEqual({ longName: 'Alice', shortName: 'AL', lastSeenMs: 0 });
  expect(store.names.get(305_419_896)?.longName).toBe('Number');
  expect(store.links.byEvent('$1')).toEqual([FIRST]);
  expect(store.links.byPacket({ radio: 'a', packetId: 4_000_000_000 })?.eventId).toBe('$2');
  const inRoom = store.links.byPacket({ radio: 'a', packetId: 4_000_000_000, sender: 5, roomId: '!r:x' });
  expect(inRoom).toEqual({ ...FIRST, radio: 'a' });
  expect(store.pluginData.get('telemetry', '!a1b2c3d4')).toEqual([{ time: 1, batteryLevel: 90 }]);
  expect(store.pluginData.get('bad', 'x')).toBeNull();
  store.close();
  const copy = `${path}.v0.bak`;
  expect(inFile(copy, "SELECT name FROM sqlite_schema WHERE name = 'outbox'")).toEqual([]);
  expect(inFile(copy, 'SELECT longname FROM longnames ORDER BY 1')).toHaveLength(3);
  expect(existsSync(`${copy}.tmp`)).toBe(false);
});

test('one can go back to the old relay and return: it reads what we wrote, we read what it wrote', () => {
  const path = home(NAMES + MAP_14);
  const first = open({ path });
  first.names.put(0xa1b2c3d4, { longName: 'Alice II', shortName: null, lastSeenMs: 5 });
  first.links.add(link({ packetId: 9, eventId: '$9', roomId: '!r:x', text: 'new' }));
  first.close();
  expect(inFile(path, "SELECT longname FROM longnames WHERE meshtastic_id = '!a1b2c3d4'")).toEqual([
    { longname: 'Alice II' },
  ]);
  expect(inFile(path, "SELECT * FROM message_map WHERE matrix_event_id = '$9'")).toEqual([
    {
      meshtastic_id: '9',
      matrix_event_id: '$9',
      matrix_room_id: '!r:x',
      meshtastic_text: 'new',
      meshtastic_meshnet: 'net',
    },
  ]);
  const raw = new SqliteModule(path);
  raw.exec(`UPDATE longnames SET longname = 'Alice III' WHERE meshtastic_id = '!a1b2c3d4';
    INSERT INTO message_map VALUES ('10', '$10', '!r:x', 'theirs', NULL);`);
  raw.close();
  const second = open({ path });
  expect(second.names.get(0xa1b2c3d4)).toEqual({ longName: 'Alice III', shortName: 'AL', lastSeenMs: 5 });
  expect(second.links.byEvent('$10')[0]).toMatchObject({ packetId: 10, text: 'theirs', sender: 0 });
  expect(second.links.byEvent('$9')[0]?.sender).toBe(1);
  // Our own row in the old table is not mistaken for one whose sender is unknown.
  expect(second.links.byPacket({ radio: 'a', packetId: 9, sender: 77 })).toBeNull();
  second.close();
});

const OLDER: Readonly<Record<string, string>> = {
  'without meshnet': `CREATE TABLE message_map (meshtastic_id TEXT, matrix_event_id TEXT PRIMARY KEY,
      matrix_room_id TEXT, meshtastic_text TEXT);
    INSERT INTO message_map VALUES ('4000000000', '$1', '!r:x', 'hi');`,
  'with a numeric id': `CREATE TABLE message_map (meshtastic_id INTEGER, matrix_event_id TEXT PRIMARY KEY,
      matrix_room_id TEXT, meshtastic_text TEXT, meshtastic_meshnet TEXT);
    CREATE INDEX idx_message_map_meshtastic_id ON message_map (meshtastic_id);
    INSERT INTO message_map VALUES (4000000000, '$1', '!r:x', 'hi', NULL);`,
  'left over alone': `CREATE TABLE message_map_old_temp (meshtastic_id INTEGER, matrix_event_id TEXT PRIMARY KEY,
      matrix_room_id TEXT, meshtastic_text TEXT);
    INSERT INTO message_map_old_temp VALUES (4000000000, '$1', '!r:x', 'hi');`,
  'left over beside a newer one': `CREATE TABLE message_map (meshtastic_id TEXT, matrix_event_id TEXT PRIMARY KEY,
      matrix_room_id TEXT, meshtastic_text TEXT, meshtastic_meshnet TEXT);
    INSERT INTO message_map VALUES ('4000000000', '$1', '!r:x', 'hi', NULL);
    CREATE TABLE message_map_stale_temp (meshtastic_id INTEGER, matrix_event_id TEXT PRIMARY KEY,
      matrix_room_id TEXT, meshtastic_text TEXT);
    CREATE TABLE message_map_legacy AS SELECT * FROM message_map_stale_temp;
    INSERT INTO message_map_stale_temp VALUES (1, '$1', '!wrong:x', 'older'), (2, '$0', '!r:x', 'rescued');`,
};

test.each(Object.entries(OLDER))('an older message map, %s, is mended', (kind, sql) => {
  const path = home(sql);
  const store = open({ path });
  expect(store.links.byEvent('$1')).toEqual([{ ...FIRST, meshnet: null }]);
  if (kind.includes('beside')) expect(store.links.byEvent('$0')[0]?.text).toBe('rescued');
  store.close();
  const tables = inFile<{ name: string }>(path, "SELECT name FROM sqlite_schema WHERE name LIKE 'message_map_%'");
  expect(tables).toEqual([]);
  expect(inFile(path, "SELECT type FROM pragma_table_info('message_map') WHERE name = 'meshtastic_id'")).toEqual([
    { type: 'TEXT' },
  ]);
});

test('a left-over that is no message map is kept', () => {
  const path = home('CREATE TABLE message_map_legacy (something TEXT); INSERT INTO message_map_legacy VALUES (1);');
  open({ path }).close();
  expect(inFile(path, 'SELECT * FROM message_map_legacy')).toEqual([{ something: '1' }]);
});

test('what the old relay has sent, while it had the home back, is not sent again', () => {
  const store = open({ path: home(NAMES + MAP_14) });
  expect(store.inbox.addEvent(roomEvent({ eventId: '$1' }), 0)).toBeNull();
  expect(store.inbox.addEvent(roomEvent({ eventId: '$new' }), 0)).not.toBeNull();
});

test('a new database is one line of the log, an old one a line for each step', () => {
  const words: string[] = [];
  const note = (message: string): void => void words.push(message);
  const logger: Logger = { ...silentLogger, info: note, child: () => logger };
  const path = join(scratch(), 'new.sqlite');
  open({ path, logger });
  expect(words).toEqual(['Database created']);
  words.length = 0;
  open({ path: home(NAMES + MAP_14), logger });
  expect(words.slice(0, 2)).toEqual(['Database copied before its schema is changed', 'Database schema changed']);
});
