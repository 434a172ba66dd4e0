import SqliteModule from 'better-sqlite3';
import { Database } from './database.ts';
import { onlineBackup } from './snapshot.ts';
import { storeError } from './store-error.ts';

/**
 * Copies a database as of one instant to `target`, also while a relay uses it; the file itself is opened for reading only.
 * @returns bytes of the copy
 * @throws RelayError STORE_FAILED when `target` exists; STORE_FULL, STORE_BUSY
 */
export async function snapshotFile(path: string, target: string): Promise<number> {
  try {
    const sqlite = new SqliteModule(path, { readonly: true, fileMustExist: true, timeout: 5000 });
    try {
      return await onlineBackup(new Database(sqlite, path), target);
    } finally {
      sqlite.close();
    }
  } catch (error) {
    throw storeError(error, path);
  }
}
