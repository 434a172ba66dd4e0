import { statSync } from 'node:fs';
import SqliteModule from 'better-sqlite3';
import type { LaneDepth } from '../relay/store-port.ts';
import { storeError } from './store-error.ts';

/** What can be seen of a database without opening it for writing. */
export interface StoreView {
  readonly fileBytes: number;
  readonly walBytes: number;
  readonly journalMode: string;
  /** 0: written by mmrelay 1.x. */
  readonly schemaVersion: number;
  /** Rows of every table. */
  readonly rows: Readonly<Record<string, number>>;
  /** Lanes that hold messages; empty for a database of mmrelay 1.x. */
  readonly lanes: readonly LaneDepth[];
  /** Wall time of the newest packet of the mesh; null when there is none. */
  readonly lastPacketMs: number | null;
  /** Messages that no rule could decide on. */
  readonly parked: { readonly count: number; readonly newestError: string | null };
  /** Rooms that were upgraded, with the one that replaced each. */
  readonly upgradedRooms: ReadonlyMap<string, string>;
  /** What SQLite says is wrong; empty when all is well, null when not asked for. */
  readonly problems: readonly string[] | null;
}

/** `quick` skips the comparison of indexes with their tables. */
export type Thoroughness = 'none' | 'quick' | 'full';

/**
 * Looks at a database read-only, beside a running relay or without one. Never creates, migrates or locks anything.
 * @returns null when there is no such file
 * @throws RelayError STORE_CORRUPT, STORE_BUSY, STORE_FAILED
 */
export function inspectStore(path: string, check: Thoroughness): StoreView | null {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return null;
  try {
    const sqlite = new SqliteModule(path, { readonly: true, fileMustExist: true, timeout: 5000 });
    try {
      return view(sqlite, { path, fileBytes: stat.size, check });
    } finally {
      sqlite.close();
    }
  } catch (error) {
    throw storeError(error, path);
  }
}

interface ViewOptions {
  readonly path: string;
  readonly fileBytes: number;
  readonly check: Thoroughness;
}

function view(sqlite: SqliteModule.Database, { path, fileBytes, check }: ViewOptions): StoreView {
  const tables = sqlite
    .prepare<[], { name: string }>("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    .all()
    .map(({ name }) => name)
    .sort();
  return {
    fileBytes,
    walBytes: statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0,
    journalMode: String(sqlite.pragma('journal_mode', { simple: true })),
    schemaVersion: Number(sqlite.pragma('user_version', { simple: true })),
    rows: Object.fromEntries(tables.map((name) => [name, countRows(sqlite, name)])),
    lanes: tables.includes('outbox') ? laneDepths(sqlite) : [],
    lastPacketMs: tables.includes('inbox') ? lastPacket(sqlite) : null,
    parked: hasColumn(sqlite, 'inbox', 'parked') ? parkedRows(sqlite) : { count: 0, newestError: null },
    upgradedRooms: tables.includes('relay_values') ? upgradedRooms(sqlite) : new Map(),
    problems: check === 'none' ? null : problemsOf(sqlite, check),
  };
}

function countRows(sqlite: SqliteModule.Database, table: string): number {
  const quoted = `"${table.replaceAll('"', '""')}"`;
  return sqlite.prepare<[], { n: number }>(`SELECT COUNT(*) AS n FROM ${quoted}`).get()?.n ?? 0;
}

function laneDepths(sqlite: SqliteModule.Database): LaneDepth[] {
  return sqlite
    .prepare<[], LaneDepth>(
      `SELECT lane, SUM(state = 'queued') AS queued, SUM(state = 'sent') AS sent, MIN(created_at_ms) AS oldestCreatedAtMs
       FROM outbox WHERE state IN ('queued', 'sent') GROUP BY lane ORDER BY lane`,
    )
    .all();
}

function lastPacket(sqlite: SqliteModule.Database): number | null {
  const sql = `SELECT MAX(received_at_ms) AS at FROM inbox WHERE dedup_key LIKE 'packet:%' OR dedup_key LIKE 'hash:%'`;
  return sqlite.prepare<[], { at: number | null }>(sql).get()?.at ?? null;
}

function hasColumn(sqlite: SqliteModule.Database, table: string, column: string): boolean {
  return sqlite.prepare('SELECT 1 FROM pragma_table_info(?) WHERE name = ?').get(table, column) !== undefined;
}

function parkedRows(sqlite: SqliteModule.Database): StoreView['parked'] {
  const rows = sqlite
    .prepare<[], { parked: string }>('SELECT parked FROM inbox WHERE parked IS NOT NULL ORDER BY row_id DESC')
    .all();
  return { count: rows.length, newestError: rows[0]?.parked ?? null };
}

function upgradedRooms(sqlite: SqliteModule.Database): ReadonlyMap<string, string> {
  const sql = `SELECT substr(key, 10) AS roomId, value FROM relay_values WHERE key LIKE 'upgraded:%'`;
  const rows = sqlite.prepare<[], { roomId: string; value: string }>(sql).all();
  return new Map(rows.map(({ roomId, value }) => [roomId, value]));
}

function problemsOf(sqlite: SqliteModule.Database, check: 'quick' | 'full'): string[] {
  const pragma = check === 'quick' ? 'quick_check' : 'integrity_check';
  const rows = sqlite.prepare<[], Record<string, string>>(`PRAGMA ${pragma}(100)`).all();
  return rows.flatMap((row) => Object.values(row)).filter((line) => line !== 'ok');
}
