import { statSync } from 'node:fs';
import { join } from 'node:path';
import { openedBy } from '../../observe/open-files.ts';
import { acquireLock, lockOwner } from '../../observe/process-lock.ts';
import type { Clock } from '../../util/clock.ts';
import { RelayError } from '../../util/relay-error.ts';
import { applyMigration, type OnStep, undoMigration } from './apply.ts';
import { type Manifest, type MovedFile, type PutAside, readManifest, writeManifest } from './manifest.ts';
import { makePlan, type Plan } from './plan.ts';
import { databasesIn } from './sources.ts';

export interface MigrationOptions {
  readonly home: string;
  /** Folders named by the user, absolute. */
  readonly from: readonly string[];
  readonly clock: Clock;
  readonly dryRun: boolean;
  readonly force: boolean;
  readonly onStep?: OnStep;
}

export interface MigrationReport {
  readonly outcome: 'nothing' | 'planned' | 'migrated' | 'resumed' | 'undone';
  readonly files: readonly MovedFile[];
  readonly aside: readonly PutAside[];
  readonly conflicts: Plan['conflicts'];
  readonly notes: readonly string[];
  readonly bytes: number;
  /** Rows per table of the migrated database. */
  readonly rows: Readonly<Record<string, number>>;
}

/**
 * Plans and, unless `dryRun`, carries out a migration of a home; finishes an interrupted one first. A second run finds
 * nothing to do.
 * @throws RelayError STORE_IN_USE beside a running relay, STORE_MIGRATION for conflicts and copies that differ, STORE_FULL
 */
export function runMigration(options: MigrationOptions): MigrationReport {
  const { home, from, clock, dryRun, force } = options;
  for (const root of from) refuseBadSource(root, home);
  const pending = readManifest(home);
  if (pending !== null && pending.phase !== 'done' && pending.phase !== 'undone' && !dryRun) {
    const done = underLock(home, clock, () => applyMigration(pending, options.onStep ?? (() => undefined)));
    return reportOf('resumed', done, []);
  }
  const stamp = new Date(clock.now()).toISOString().replace(/[-:]|\.\d+/g, '');
  const plan = makePlan({ home, from, stamp, force });
  const nothing = plan.files.length === 0 && plan.aside.length === 0 && plan.conflicts.length === 0;
  if (dryRun || nothing) return { ...plan, outcome: nothing ? 'nothing' : 'planned', rows: {} };
  refuse(plan, options);
  return underLock(home, clock, () => {
    const { files, aside } = plan;
    const manifest: Manifest = { version: 1, home, stamp, phase: 'planned', files, aside, rows: {} };
    options.onStep?.('note: the plan');
    writeManifest(manifest);
    return reportOf('migrated', applyMigration(manifest, options.onStep ?? (() => undefined)), plan.notes);
  });
}

/** Takes the last migration back. @throws RelayError STORE_IN_USE, STORE_MIGRATION when there is none */
export function undoLastMigration(options: Pick<MigrationOptions, 'home' | 'clock' | 'onStep'>): MigrationReport {
  const { home, clock } = options;
  const manifest = readManifest(home);
  if (manifest === null || manifest.phase === 'undone') {
    throw new RelayError('STORE_MIGRATION', `There is no migration of ${home} to undo`);
  }
  const done = underLock(home, clock, () => undoMigration(manifest, options.onStep ?? (() => undefined)));
  return reportOf('undone', done, []);
}

function reportOf(outcome: MigrationReport['outcome'], done: Manifest, notes: readonly string[]): MigrationReport {
  const { files, aside, rows } = done;
  return { outcome, files, aside, rows, notes, conflicts: [], bytes: files.reduce((sum, file) => sum + file.bytes, 0) };
}

/** The daemon's own lock: neither it nor a second migration can run meanwhile. A dead holder is no obstacle (M6, M7). */
function underLock<T>(home: string, clock: Clock, work: () => T): T {
  const result = acquireLock({ path: join(home, 'mmrelay.lock'), clock });
  if (!result.ok) throw inUse(home, [result.owner.pid]);
  try {
    refuseOpenDatabases([home]);
    return work();
  } finally {
    result.lock.release();
  }
}

function refuseBadSource(root: string, home: string): void {
  if (statSync(root, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new RelayError('CONFIG_MIGRATION_SOURCE', `--from ${root}: there is no such folder`);
  }
  if (root === home) throw new RelayError('CONFIG_MIGRATION_SOURCE', `--from ${root}: that is the home itself`);
}

const SPARE_BYTES = 16 * 1024 * 1024;

function refuse(plan: Plan, { home, from, clock }: MigrationOptions): void {
  for (const root of [home, ...from]) {
    const owner = lockOwner({ path: join(root, 'mmrelay.lock'), clock });
    if (owner !== null) throw inUse(root, [owner.pid]);
  }
  refuseOpenDatabases(from);
  if (plan.conflicts.length > 0) {
    const list = plan.conflicts.map(({ source, target }) => `  ${source}\n    would replace ${target}`).join('\n');
    throw new RelayError(
      'STORE_MIGRATION',
      `Nothing was changed: different files are in place already.\n${list}\nWith --force they are replaced and kept in the backup.`,
    );
  }
  const needed = plan.bytes + SPARE_BYTES;
  if (plan.freeBytes !== null && plan.freeBytes < needed) {
    const mb = (bytes: number): string => `${Math.ceil(bytes / 1024 ** 2)} MB`;
    throw new RelayError('STORE_FULL', `Nothing was changed: ${mb(needed)} are needed, ${mb(plan.freeBytes)} are free`);
  }
}

/** The Python relay has no lock: it is known by its database, also when that is in place already and not moved. */
function refuseOpenDatabases(roots: readonly string[]): void {
  const users = openedBy(roots.flatMap(databasesIn));
  if (users.length > 0) throw inUse('its database', users);
}

function inUse(what: string, pids: readonly number[]): RelayError {
  return new RelayError(
    'STORE_IN_USE',
    `A relay is running on ${what} (pid ${pids.join(', ')}): stop it, then migrate`,
  );
}
