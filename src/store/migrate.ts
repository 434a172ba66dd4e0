import type { Logger } from '../util/logger.ts';
import { RelayError } from '../util/relay-error.ts';
import type { Database } from './database.ts';
import { oldRelayTables } from './migrations/m001-old-relay-tables.ts';
import { relayTables } from './migrations/m002-relay-tables.ts';
import { parkedMessages } from './migrations/m003-parked-messages.ts';
import type { Migration } from './migrations/migration.ts';
import { copyBeforeMigration } from './snapshot.ts';

const MIGRATIONS: readonly Migration[] = [oldRelayTables, relayTables, parkedMessages];

function schemaVersion(db: Database): number {
  return Number(db.pragma('user_version'));
}

/**
 * Brings the schema to the newest version, one transaction per step. Before the first step on a database that has
 * tables, a copy is kept beside it (`<file>.v<version>.bak`).
 * @throws RelayError STORE_NEWER for a database of a newer program; STORE_* when a step fails, which then left no trace
 */
export function migrate(db: Database, log: Logger, migrations: readonly Migration[] = MIGRATIONS): void {
  const target = migrations.length;
  const version = schemaVersion(db);
  if (version > target) {
    throw new RelayError(
      'STORE_NEWER',
      `The database ${db.path} has schema ${version}, written by a newer mmrelay; this one knows up to ${target}. ` +
        'Install the newer mmrelay again, or restore a backup made before the upgrade.',
    );
  }
  if (version === target) return;
  const copy = copyBeforeMigration(db, version);
  if (copy !== null) log.info('Database copied before its schema is changed', { copy, version });
  const isNew = version === 0 && copy === null;
  for (const migration of migrations.slice(version)) {
    const { version: reached, name } = migration;
    if (step(db, migration, log) && !isNew) log.info('Database schema changed', { version: reached, name });
  }
  if (isNew) log.info('Database created', { path: db.path, version: target });
}

/** False: another process was quicker while we waited for the lock. */
function step(db: Database, migration: Migration, log: Logger): boolean {
  return db.transaction(() => {
    if (schemaVersion(db) >= migration.version) return false;
    migration.apply(db, log);
    db.pragma(`user_version = ${migration.version}`);
    return true;
  });
}
