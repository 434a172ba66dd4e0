import { chmodSync, closeSync, existsSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import SqliteModule from 'better-sqlite3';
import { syncFolder } from '../util/durable-file.ts';
import type { Logger } from '../util/logger.ts';
import { errorCode } from '../util/relay-error.ts';
import { Database } from './database.ts';
import { storeError } from './store-error.ts';

const PRIVATE_FILE = 0o600;
const PRIVATE_FOLDER = 0o700;

/** Creates folder and file for us alone, and takes group and world rights from files that are already there. */
function prepareFile(path: string, log: Logger): void {
  const folder = dirname(path);
  mkdirSync(folder, { recursive: true, mode: PRIVATE_FOLDER });
  if (!existsSync(path)) {
    // SQLite gives -wal and -shm the mode of the database file.
    closeSync(openSync(path, 'a', PRIVATE_FILE));
    syncFolder(folder);
  }
  for (const file of [path, `${path}-wal`, `${path}-shm`]) tighten(file, log);
}

function tighten(file: string, log: Logger): void {
  try {
    if ((statSync(file).mode & 0o077) !== 0) chmodSync(file, PRIVATE_FILE);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return;
    log.warn('The mode of a database file cannot be set to 0600', { file, cause: error });
  }
}

/**
 * Opens the file, creating it when absent. Nothing of its content is read yet.
 * @throws RelayError STORE_READONLY, STORE_FULL, STORE_FAILED naming the path
 */
export function connect(path: string, busyTimeoutMs: number, log: Logger): Database {
  try {
    if (path !== ':memory:') prepareFile(path, log);
    return new Database(new SqliteModule(path, { timeout: busyTimeoutMs }), path);
  } catch (error) {
    throw storeError(error, path);
  }
}
