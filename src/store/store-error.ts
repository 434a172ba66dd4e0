import { errorCode, errorText, RETRY_LATER, RelayError, type RelayErrorOptions } from '../util/relay-error.ts';

type StoreCode = 'STORE_FULL' | 'STORE_BUSY' | 'STORE_READONLY' | 'STORE_CORRUPT' | 'STORE_FAILED';

function isOneOf(code: string, ...prefixes: readonly string[]): boolean {
  return prefixes.some((prefix) => code === prefix || code.startsWith(`${prefix}_`));
}

function classify(code: string): StoreCode {
  // SHMSIZE: the -shm file could not grow, which on a file system that is not broken means no space.
  if (isOneOf(code, 'SQLITE_FULL', 'SQLITE_IOERR_SHMSIZE', 'ENOSPC', 'EDQUOT')) return 'STORE_FULL';
  if (isOneOf(code, 'SQLITE_BUSY', 'SQLITE_LOCKED', 'SQLITE_PROTOCOL')) return 'STORE_BUSY';
  if (isOneOf(code, 'SQLITE_READONLY', 'SQLITE_PERM', 'EACCES', 'EPERM', 'EROFS')) return 'STORE_READONLY';
  if (isOneOf(code, 'SQLITE_CORRUPT', 'SQLITE_NOTADB')) return 'STORE_CORRUPT';
  return 'STORE_FAILED';
}

function sentence(kind: StoreCode, path: string, text: string): string {
  switch (kind) {
    case 'STORE_FULL':
      return `No space left to write the database ${path} (${text}). Free some disk space; the relay goes on by itself.`;
    case 'STORE_BUSY':
      return `The database ${path} is locked by another process (${text}).`;
    case 'STORE_READONLY':
      return `The database ${path} cannot be written (${text}). Check its owner, its mode and that of its folder, and the mount.`;
    case 'STORE_CORRUPT':
      return `The database ${path} is damaged (${text}). Run \`mmrelay db check\`, or restore a backup.`;
    case 'STORE_FAILED':
      return `The database ${path} failed: ${text}`;
  }
}

function mayPass(kind: StoreCode, code: string): boolean {
  if (kind === 'STORE_FULL' || kind === 'STORE_BUSY') return true;
  return (
    kind === 'STORE_FAILED' && isOneOf(code, 'SQLITE_IOERR', 'SQLITE_NOMEM', 'SQLITE_INTERRUPT', 'EMFILE', 'ENFILE')
  );
}

/**
 * The RelayError for whatever SQLite or the file system threw. STORE_FULL, STORE_BUSY and input/output errors may be
 * retried later; the others may not.
 */
export function storeError(error: unknown, path: string): RelayError {
  if (error instanceof RelayError) return error;
  const code = errorCode(error);
  const kind = classify(code);
  const text = code === '' ? errorText(error) : `${code}: ${errorText(error)}`;
  const options: RelayErrorOptions = mayPass(kind, code) ? { retry: RETRY_LATER, cause: error } : { cause: error };
  return new RelayError(kind, sentence(kind, path, text), options);
}
