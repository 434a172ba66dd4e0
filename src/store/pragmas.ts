import type { Logger } from '../util/logger.ts';
import { RelayError } from '../util/relay-error.ts';
import type { Database } from './database.ts';

/** `database.pragmas` of the configuration. */
export type Pragmas = Readonly<Record<string, string | number | boolean>>;

/** Decided by the store itself: a value from the configuration would break its promises, or its schema. */
const OURS = new Set([
  'user_version',
  'schema_version',
  'application_id',
  'writable_schema',
  'foreign_keys',
  'journal_mode',
]);
/** The values of PRAGMA synchronous that keep a committed transaction through a power cut. */
const DURABLE = new Set(['FULL', 'EXTRA', '2', '3']);
const WAL_SIZE_LIMIT_BYTES = 8 * 1024 * 1024;
const CACHE_KIB = 4096;

/** A pragma as SQL. @throws RelayError CONFIG_PRAGMA for names and values that could be more than a plain word */
function render(name: string, value: string | number | boolean): string {
  if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name)) {
    throw new RelayError('CONFIG_PRAGMA', `database.pragmas: "${name}" is not the name of a pragma.`);
  }
  if (typeof value === 'boolean') return `${name} = ${value ? 'ON' : 'OFF'}`;
  if (typeof value === 'number' && Number.isFinite(value)) return `${name} = ${value}`;
  const text = String(value);
  if (typeof value === 'number' || !/^[a-zA-Z0-9_,.\-\\ ]+$/.test(text) || text.includes('--') || text.endsWith('\\')) {
    throw new RelayError('CONFIG_PRAGMA', `database.pragmas.${name}: the value "${text}" is not allowed.`);
  }
  return `${name} = ${/^[-\w.]+$/.test(text) ? text : `'${text}'`}`;
}

function setJournal(db: Database, enableWal: boolean, log: Logger): boolean {
  const mode = String(db.pragma(`journal_mode = ${enableWal ? 'WAL' : 'DELETE'}`)).toLowerCase();
  const wanted = enableWal ? 'wal' : 'delete';
  if (db.path !== ':memory:' && mode !== wanted) log.warn('SQLite kept another journal mode', { wanted, mode });
  return mode === 'wal';
}

/**
 * Settings of a fresh connection. Durable by default (`synchronous` FULL, or EXTRA without WAL); pragmas of the
 * configuration come last and win, except those that the store decides itself.
 */
export function applyPragmas(
  db: Database,
  options: { readonly enableWal: boolean; readonly pragmas: Pragmas; readonly log: Logger },
): void {
  const { pragmas, log } = options;
  const rendered = Object.entries(pragmas).map(([name, value]) => ({
    name: name.toLowerCase(),
    sql: render(name, value),
  }));
  const wal = setJournal(db, options.enableWal, log);
  for (const sql of [
    'foreign_keys = ON',
    `synchronous = ${wal ? 'FULL' : 'EXTRA'}`,
    'temp_store = MEMORY',
    `cache_size = -${CACHE_KIB}`,
    `journal_size_limit = ${WAL_SIZE_LIMIT_BYTES}`,
  ]) {
    db.pragma(sql);
  }
  for (const { name, sql } of rendered) {
    if (OURS.has(name))
      log.warn('A pragma of the configuration is ignored: the relay sets it itself', { pragma: name });
    else db.pragma(sql);
  }
  warnIfFragile(db, log);
}

function warnIfFragile(db: Database, log: Logger): void {
  const synchronous = String(db.pragma('synchronous')).toUpperCase();
  if (db.path === ':memory:' || DURABLE.has(synchronous)) return;
  log.warn('database.pragmas.synchronous is weaker than FULL: a power cut can lose the last messages', { synchronous });
}
