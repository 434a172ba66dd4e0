import type { Logger } from '../../util/logger.ts';
import type { Database } from '../database.ts';
import type { Migration } from './migration.ts';

const MESSAGE_MAP = `(meshtastic_id TEXT, matrix_event_id TEXT PRIMARY KEY, matrix_room_id TEXT, meshtastic_text TEXT,
  meshtastic_meshnet TEXT)`;
/** What interrupted upgrades of the old relay left behind (spec 01, 6.4). */
const LEFT_OVERS = ['message_map_old_temp', 'message_map_stale_temp', 'message_map_legacy'];

interface Column {
  readonly name: string;
  readonly type: string;
}

function columnsOf(db: Database, table: string): ReadonlyMap<string, string> {
  const rows = db.all<Column>('SELECT name, type FROM pragma_table_info(?)', table);
  return new Map(rows.map((row) => [row.name, row.type.toUpperCase()]));
}

/** Copies the rows of `source` that message_map has no event for. False when it does not look like a message map. */
function mergeInto(db: Database, source: string): boolean {
  const columns = columnsOf(db, source);
  const needed = ['meshtastic_id', 'matrix_event_id', 'matrix_room_id', 'meshtastic_text'];
  if (needed.some((column) => !columns.has(column))) return false;
  const meshnet = columns.has('meshtastic_meshnet') ? 'meshtastic_meshnet' : 'NULL';
  db.run(`INSERT OR IGNORE INTO message_map
    (meshtastic_id, matrix_event_id, matrix_room_id, meshtastic_text, meshtastic_meshnet)
    SELECT CAST(meshtastic_id AS TEXT), matrix_event_id, matrix_room_id, meshtastic_text, ${meshnet}
    FROM ${source} ORDER BY rowid`);
  return true;
}

function mendMessageMap(db: Database): void {
  const columns = columnsOf(db, 'message_map');
  if (columns.size === 0) return;
  if (columns.get('meshtastic_id') !== 'TEXT') {
    db.script(`ALTER TABLE message_map RENAME TO message_map_before; CREATE TABLE message_map ${MESSAGE_MAP}`);
    mergeInto(db, 'message_map_before');
    db.script('DROP TABLE message_map_before');
  } else if (!columns.has('meshtastic_meshnet')) {
    db.script('ALTER TABLE message_map ADD COLUMN meshtastic_meshnet TEXT');
  }
}

function mergeLeftOvers(db: Database, log: Logger): void {
  for (const table of LEFT_OVERS) {
    if (columnsOf(db, table).size === 0) continue;
    if (mergeInto(db, table)) db.script(`DROP TABLE ${table}`);
    else log.warn('A left-over table of an old upgrade has unknown columns; it is kept as it is', { table });
  }
}

/** The tables of mmrelay 1.4 as it makes them itself; older shapes are mended the way its own upgrade does. */
export const oldRelayTables: Migration = {
  version: 1,
  name: 'tables of mmrelay 1.4',
  apply(db, log) {
    mendMessageMap(db);
    db.script(`
      CREATE TABLE IF NOT EXISTS longnames (meshtastic_id TEXT PRIMARY KEY, longname TEXT);
      CREATE TABLE IF NOT EXISTS shortnames (meshtastic_id TEXT PRIMARY KEY, shortname TEXT);
      CREATE TABLE IF NOT EXISTS plugin_data (plugin_name TEXT, meshtastic_id TEXT, data TEXT,
        PRIMARY KEY (plugin_name, meshtastic_id));
      CREATE TABLE IF NOT EXISTS message_map ${MESSAGE_MAP};`);
    mergeLeftOvers(db, log);
    db.script('CREATE INDEX IF NOT EXISTS idx_message_map_meshtastic_id ON message_map (meshtastic_id)');
  },
};
