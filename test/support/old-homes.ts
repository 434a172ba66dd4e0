import { copyFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import SqliteModule from 'better-sqlite3';
import { onTestFinished } from 'vitest';

/** A folder that goes away with the test. */
export function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mmrelay-migrate-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function put(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

export const CREDENTIALS = JSON.stringify({
  homeserver: 'https://example.org',
  access_token: 'syt_old_token',
  device_id: 'OLDDEVICE',
  user_id: '@relay:example.org',
});

/** The database as mmrelay 1.4 makes it (spec 01 section 6.2); its last rows are still in the write-ahead log. */
export function oldDatabase(path: string, longName = 'Alice'): void {
  mkdirSync(dirname(path), { recursive: true });
  const sqlite = new SqliteModule(path);
  sqlite.pragma('journal_mode = WAL');
  sqlite.exec(`
    CREATE TABLE longnames (meshtastic_id TEXT PRIMARY KEY, longname TEXT);
    CREATE TABLE shortnames (meshtastic_id TEXT PRIMARY KEY, shortname TEXT);
    CREATE TABLE plugin_data (plugin_name TEXT, meshtastic_id TEXT, data TEXT, PRIMARY KEY (plugin_name, meshtastic_id));
    CREATE TABLE message_map (meshtastic_id TEXT, matrix_event_id TEXT PRIMARY KEY, matrix_room_id TEXT,
      meshtastic_text TEXT, meshtastic_meshnet TEXT);
    CREATE INDEX idx_message_map_meshtastic_id ON message_map (meshtastic_id);
    INSERT INTO longnames VALUES ('!a1b2c3d4', '${longName}');
    INSERT INTO plugin_data VALUES ('telemetry', '!a1b2c3d4', '[1]');
    INSERT INTO message_map VALUES ('7', '$1', '!r:x', 'hi', 'net'), ('8', '$2', '!r:x', 'ho', 'net');`);
  // As after a kill: a clean close would empty the log into the file.
  for (const suffix of ['', '-wal']) copyFileSync(path + suffix, `${path}.copy${suffix}`);
  sqlite.close();
  for (const suffix of ['', '-wal']) renameSync(`${path}.copy${suffix}`, path + suffix);
}

/** 1.2: everything at the root of the home. */
export function home12(home: string): void {
  put(join(home, 'config.yaml'), 'matrix_rooms: []\n');
  put(join(home, 'credentials.json'), CREDENTIALS);
  put(join(home, 'store', 'olm.db'), 'python keys');
  oldDatabase(join(home, 'meshtastic.sqlite'));
  put(join(home, 'logs', 'mmrelay.log'), 'a line\n');
  put(join(home, 'plugins', 'custom', 'mine', 'plugin.py'), 'class Plugin: pass\n');
}

/** 1.3: matrix/ for the session, data/ for the database. */
export function home13(home: string): void {
  put(join(home, 'config.yaml'), 'matrix_rooms: []\n');
  put(join(home, 'matrix', 'credentials.json'), CREDENTIALS);
  put(join(home, 'matrix', 'store', 'olm.db'), 'python keys');
  oldDatabase(join(home, 'data', 'meshtastic.sqlite'));
  put(join(home, 'logs', 'mmrelay.log'), 'a line\n');
}

/** 1.4: matrix/ and database/; the tree is made in advance, empty folders and all. */
export function home14(home: string): void {
  put(join(home, 'config.yaml'), 'matrix_rooms: []\n');
  put(join(home, 'matrix', 'credentials.json'), CREDENTIALS);
  put(join(home, 'matrix', 'store', 'olm.db'), 'python keys');
  put(join(home, 'matrix', 'store', '@relay_example.org_cross_signing.json'), '{}');
  oldDatabase(join(home, 'database', 'meshtastic.sqlite'));
  for (const folder of ['logs', 'plugins/custom', 'plugins/community', 'plugins/core'])
    mkdirSync(join(home, folder), { recursive: true });
  put(join(home, 'logs', 'mmrelay.log.1'), 'older\n');
}
