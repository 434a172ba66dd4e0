import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { syncFolder } from '../util/durable-file.ts';
import type { Database } from './database.ts';
import { storeError } from './store-error.ts';

const PRIVATE_FILE = 0o600;

function syncFile(path: string): void {
  const handle = openSync(path, 'r+');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** An empty file that only we can read, for SQLite to fill. */
function createPrivate(path: string): void {
  rmSync(path, { force: true });
  rmSync(`${path}-journal`, { force: true });
  closeSync(openSync(path, 'wx', PRIVATE_FILE));
}

/** Gives a finished file its name, durably. */
function publish(temporary: string, target: string): void {
  syncFile(temporary);
  renameSync(temporary, target);
  syncFolder(dirname(target));
}

/**
 * Copies a database that already has tables to `<file>.v<version>.bak`, WAL included; an earlier copy of that version
 * is replaced. Null when there is nothing to keep. VACUUM INTO reads through SQLite: copying the file by hand would
 * drop this process' locks on it.
 */
export function copyBeforeMigration(db: Database, version: number): string | null {
  if (db.path === ':memory:' || db.get('SELECT 1 FROM sqlite_schema LIMIT 1') === undefined) return null;
  const target = `${db.path}.v${version}.bak`;
  const temporary = `${target}.tmp`;
  try {
    createPrivate(temporary);
    db.run('VACUUM INTO ?', temporary);
    publish(temporary, target);
    return target;
  } catch (error) {
    rmSync(temporary, { force: true });
    throw storeError(error, target);
  }
}

/**
 * Copies the database as of one instant to `target` (mode 0600) while it is in use. The file appears under its name
 * only when it is complete and on disk.
 * @returns bytes of the copy
 * @throws RelayError STORE_FAILED when `target` exists; STORE_FULL, STORE_READONLY
 */
export async function onlineBackup(db: Database, target: string): Promise<number> {
  const temporary = `${target}.tmp`;
  try {
    if (existsSync(target)) throw new Error('the file exists already; choose another name');
    createPrivate(temporary);
    await db.backup(temporary);
    publish(temporary, target);
    return statSync(target).size;
  } catch (error) {
    rmSync(temporary, { force: true });
    throw storeError(error, target);
  }
}
