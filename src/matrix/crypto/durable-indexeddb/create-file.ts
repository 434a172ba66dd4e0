import { chmodSync, closeSync, existsSync, linkSync, openSync, readSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { syncFolder } from '../../../util/durable-file.ts';
import { errorText, RelayError } from '../../../util/relay-error.ts';

/** `IDBs`, in the header of the file: how we know our own. */
const APPLICATION_ID = 0x49444273;
/** Layout of the tables. A higher number is from a newer program and is left alone. */
export const LAYOUT_VERSION = 2;
/** Pages kept in memory; what is read twice comes from the kernel's cache. */
const CACHE_KIB = 2048;

const TABLES = `
  CREATE TABLE databases (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, version INTEGER NOT NULL) STRICT;
  CREATE TABLE stores (
    id INTEGER PRIMARY KEY,
    database_id INTEGER NOT NULL REFERENCES databases (id) ON DELETE CASCADE,
    definition TEXT NOT NULL,
    key_generator INTEGER
  ) STRICT;
  CREATE TABLE records (
    id INTEGER PRIMARY KEY,
    store_id INTEGER NOT NULL REFERENCES stores (id) ON DELETE CASCADE,
    key BLOB NOT NULL,
    value BLOB NOT NULL,
    UNIQUE (store_id, key)
  ) STRICT;
`;

/** Since layout 2. A key is that of the index, followed by that of the record; indexes have their numbers in `definition`. */
const ENTRIES_TABLE = `
  CREATE TABLE IF NOT EXISTS entries (
    index_id INTEGER NOT NULL,
    key BLOB NOT NULL,
    PRIMARY KEY (index_id, key)
  ) STRICT, WITHOUT ROWID;
`;

/** How a failure of SQLite on `path` is told to others. */
export function storeError(path: string, error: unknown): RelayError {
  if (error instanceof RelayError) return error;
  const sqliteCode = error instanceof Database.SqliteError ? error.code : '';
  if (sqliteCode.startsWith('SQLITE_BUSY') || sqliteCode.startsWith('SQLITE_LOCKED')) {
    return new RelayError('CRYPTO_STORE_IN_USE', `another process has ${path} open; only one may`, { cause: error });
  }
  if (sqliteCode.startsWith('SQLITE_CORRUPT') || sqliteCode === 'SQLITE_NOTADB') return corrupt(path, errorText(error));
  if (sqliteCode === 'SQLITE_FULL') {
    return new RelayError('CRYPTO_STORE_UNUSABLE', `the disk of ${path} is full; make room and start again`, {
      cause: error,
    });
  }
  return new RelayError('CRYPTO_STORE_UNUSABLE', `cannot use ${path}: ${errorText(error)}`, { cause: error });
}

export function corrupt(path: string, what: string): RelayError {
  return new RelayError(
    'CRYPTO_STORE_CORRUPT',
    `${path} is damaged (${what}); nothing was changed in it. Put back a copy, or move it away to start anew`,
  );
}

interface OpenFile {
  readonly db: Database.Database;
  /** The file has records of layout 1, and no index entries. */
  readonly needsEntries: boolean;
}

/**
 * Opens the file, made if it is not there, locked for this process until it is closed (the kernel frees the lock when
 * the process dies). Mode 0600. Every commit is on disk when it returns.
 * @throws RelayError CRYPTO_STORE_IN_USE, _CORRUPT, _FOREIGN, _NEWER, _UNUSABLE; the file is then as it was
 */
export function openFile(path: string): OpenFile {
  try {
    if (!existsSync(path)) createFile(path);
    checkHeader(path);
    chmodSync(path, 0o600);
    return openChecked(path);
  } catch (error) {
    throw storeError(path, error);
  }
}

function openChecked(path: string): OpenFile {
  const db = new Database(path, { fileMustExist: true, timeout: 0 });
  try {
    db.pragma('locking_mode = EXCLUSIVE');
    // In WAL a commit costs one fsync; with an exclusive lock SQLite needs no shared memory file beside it.
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    db.pragma(`cache_size = -${CACHE_KIB}`);
    db.exec('BEGIN EXCLUSIVE; COMMIT');
    db.pragma('foreign_keys = ON');
    const verdict = db.pragma('quick_check(1)', { simple: true });
    if (verdict !== 'ok') throw corrupt(path, String(verdict));
    const layout = Number(db.pragma('user_version', { simple: true }));
    assertKnown(path, layout);
    const needsEntries = layout < LAYOUT_VERSION;
    if (needsEntries) db.exec(ENTRIES_TABLE);
    return { db, needsEntries };
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Looks at the bytes first: a file that is not ours is not even opened by SQLite, which may write to what it opens. */
function checkHeader(path: string): void {
  const header = Buffer.alloc(100);
  const file = openSync(path, 'r');
  try {
    if (readSync(file, header, 0, header.length, 0) < header.length) throw corrupt(path, 'it is cut off');
  } finally {
    closeSync(file);
  }
  // https://www.sqlite.org/fileformat.html#the_database_header
  const isSqlite = header.toString('latin1', 0, 16) === 'SQLite format 3\0';
  if (!isSqlite && header.every((byte) => byte === 0)) throw corrupt(path, 'it holds zeros');
  if (!isSqlite || header.readUInt32BE(68) !== APPLICATION_ID) {
    throw new RelayError('CRYPTO_STORE_FOREIGN', `${path} is not a store of this program; nothing was changed in it`);
  }
  assertKnown(path, header.readUInt32BE(60));
}

function assertKnown(path: string, layout: number): void {
  if (layout <= LAYOUT_VERSION) return;
  throw new RelayError(
    'CRYPTO_STORE_NEWER',
    `${path} has layout ${layout}, this program knows ${LAYOUT_VERSION}; use the newer program`,
  );
}

/** Under another name first: a file at `path` was complete once, so an empty one there is damage and not a beginning. */
function createFile(path: string): void {
  const draft = `${path}.new-${process.pid}`;
  rmSync(draft, { force: true });
  closeSync(openSync(draft, 'wx', 0o600));
  try {
    const db = new Database(draft);
    try {
      db.pragma(`application_id = ${APPLICATION_ID}`);
      db.pragma(`user_version = ${LAYOUT_VERSION}`);
      db.pragma('synchronous = FULL');
      db.exec(`BEGIN; ${TABLES} ${ENTRIES_TABLE} COMMIT`);
    } finally {
      db.close();
    }
    publish(draft, path);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** A link never replaces what another process put there meanwhile; where there are no links a rename must do. */
function publish(draft: string, path: string): void {
  try {
    linkSync(draft, path);
  } catch {
    // Either the file system has no links, or another process was first: then its file is used and locked, or refused.
    if (!existsSync(path)) renameSync(draft, path);
  }
  syncFolder(dirname(path));
}
