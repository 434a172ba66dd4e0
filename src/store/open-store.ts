import type { StorePort } from '../relay/store-port.ts';
import { type Clock, systemClock } from '../util/clock.ts';
import type { Logger } from '../util/logger.ts';
import { connect } from './connect.ts';
import type { Database } from './database.ts';
import { SqliteInbox } from './inbox.ts';
import { SqliteLinks } from './links.ts';
import { type IntegrityReport, integrityCheck, type StoreSize, storeSize, vacuum } from './maintenance.ts';
import { migrate } from './migrate.ts';
import { SqliteNames } from './names.ts';
import { SqliteOutbox } from './outbox.ts';
import { SqlitePluginData } from './plugin-data.ts';
import { applyPragmas, type Pragmas } from './pragmas.ts';
import { onlineBackup } from './snapshot.ts';
import { SqliteValues } from './values.ts';

export interface OpenStoreOptions {
  /** Database file, or `:memory:`. */
  readonly path: string;
  readonly logger: Logger;
  readonly clock?: Clock;
  /** How long a statement waits for another process (default 5000). */
  readonly busyTimeoutMs?: number;
  readonly pragmas?: Pragmas;
  /** Default true. */
  readonly enableWal?: boolean;
  /** Rows kept in message_map, the old relay's table (`database.msg_map.msgs_to_keep`, default 500; 0: all). */
  readonly keepOldRows?: number;
}

/** The store with what operators need beside it. All times in milliseconds. */
export interface Store extends StorePort {
  readonly path: string;
  /** Forgets all message links (`database.msg_map.wipe_on_restart`). */
  wipeLinks(): void;
  /** Reads every page; seconds on a large file. */
  integrityCheck(): IntegrityReport;
  /** Copies the database as of one instant to a new file; bytes written. @throws RelayError STORE_FAILED when it exists */
  onlineBackup(target: string): Promise<number>;
  /** Rewrites the file without its holes; needs as much free space again. */
  vacuum(): void;
  size(): StoreSize;
  /** Once; the store cannot be used afterwards. */
  close(): void;
}

/**
 * Opens the relay's database, creates or migrates it, and checks that it can be written.
 * @throws RelayError STORE_NEWER, STORE_CORRUPT, STORE_READONLY (never); STORE_BUSY, STORE_FULL (later); STORE_FAILED;
 *   CONFIG_PRAGMA for a pragma that is not plain
 */
export function openStore(options: OpenStoreOptions): Store {
  const log = options.logger.child('store');
  const db = connect(options.path, options.busyTimeoutMs ?? 5000, log);
  try {
    applyPragmas(db, { enableWal: options.enableWal ?? true, pragmas: options.pragmas ?? {}, log });
    migrate(db, log);
    return assemble(db, options);
  } catch (error) {
    db.close();
    throw error;
  }
}

function assemble(db: Database, options: OpenStoreOptions): Store {
  const log = options.logger.child('store');
  const names = new SqliteNames(db);
  names.adopt();
  const links = new SqliteLinks(db, options.keepOldRows ?? 500);
  return {
    path: db.path,
    transaction: (work) => db.transaction(work),
    inbox: new SqliteInbox(db),
    outbox: new SqliteOutbox(db, options.clock ?? systemClock, log),
    links,
    names,
    values: new SqliteValues(db),
    pluginData: new SqlitePluginData(db),
    wipeLinks: () => links.wipe(),
    integrityCheck: () => integrityCheck(db),
    onlineBackup: (target) => onlineBackup(db, target),
    vacuum: () => vacuum(db),
    size: () => storeSize(db),
    close: () => db.close(),
  };
}
