import { statSync } from 'node:fs';
import type { Database } from './database.ts';

export interface IntegrityReport {
  readonly ok: boolean;
  /** What SQLite says is wrong, at most 100 lines; empty when all is well. */
  readonly problems: readonly string[];
}

export interface StoreSize {
  readonly fileBytes: number;
  readonly walBytes: number;
  /** Space inside the file that a vacuum would give back. */
  readonly freeBytes: number;
  readonly schemaVersion: number;
}

/** Damage that stops the check itself is reported as a problem, not thrown. */
export function integrityCheck(db: Database): IntegrityReport {
  const problems: string[] = [];
  try {
    const rows = db.all<{ readonly integrity_check: string }>('PRAGMA integrity_check(100)');
    problems.push(...rows.map((row) => row.integrity_check).filter((line) => line !== 'ok'));
    const foreign = db.all<{ readonly table: string; readonly rowid: number }>('PRAGMA foreign_key_check');
    problems.push(...foreign.map((row) => `row ${row.rowid} of ${row.table} points to a row that is gone`));
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error));
  }
  return { ok: problems.length === 0, problems };
}

export function vacuum(db: Database): void {
  db.script('VACUUM');
  if (db.path !== ':memory:') db.pragma('wal_checkpoint(TRUNCATE)');
}

export function storeSize(db: Database): StoreSize {
  const pageBytes = Number(db.pragma('page_size'));
  return {
    fileBytes: Number(db.pragma('page_count')) * pageBytes,
    walBytes: statSync(`${db.path}-wal`, { throwIfNoEntry: false })?.size ?? 0,
    freeBytes: Number(db.pragma('freelist_count')) * pageBytes,
    schemaVersion: Number(db.pragma('user_version')),
  };
}
