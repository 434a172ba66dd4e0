import SqliteModule from 'better-sqlite3';
import { RelayError } from '../util/relay-error.ts';
import { inspectStore } from './inspect-store.ts';
import { storeError } from './store-error.ts';

/**
 * Makes one whole file of a copied database and its side files: replays the write-ahead log or a hot journal, then
 * checks every page. For copies nobody has open.
 * @returns rows of every table
 * @throws RelayError STORE_CORRUPT when it is damaged; STORE_* otherwise
 */
export function settleDatabase(path: string): Readonly<Record<string, number>> {
  try {
    const sqlite = new SqliteModule(path, { fileMustExist: true, timeout: 5000 });
    try {
      sqlite.pragma('wal_checkpoint(TRUNCATE)');
      sqlite.pragma('journal_mode = DELETE');
    } finally {
      sqlite.close();
    }
  } catch (error) {
    throw storeError(error, path);
  }
  const view = inspectStore(path, 'full');
  const [problem] = view?.problems ?? ['it is gone'];
  if (problem !== undefined) throw new RelayError('STORE_CORRUPT', `${path} is damaged: ${problem}`);
  return view?.rows ?? {};
}
