import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import SqliteModule from 'better-sqlite3';
import { describe, expect, test } from 'vitest';
import { readManifest } from '../../../src/app/migrate/manifest.ts';
import { type MigrationOptions, runMigration, undoLastMigration } from '../../../src/app/migrate/run-migration.ts';
import { verifyMigration } from '../../../src/app/migrate/verify.ts';
import { resolvePaths } from '../../../src/config/paths.ts';
import { openStore } from '../../../src/store/open-store.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { silentLogger } from '../../../src/util/logger.ts';
import { CREDENTIALS, home12, home13, home14, oldDatabase, put, scratch } from '../../support/old-homes.ts';
import { holderOf, oldRelayOn } from '../../support/old-relay-process.ts';

const HOMES = [
  ['1.2', home12],
  ['1.3', home13],
  ['1.4', home14],
] as const;

function migrate(home: string, change: Partial<MigrationOptions> = {}) {
  return runMigration({ home, from: [], clock: systemClock, dryRun: false, force: false, ...change });
}

/** Every file outside of .migration with its content, but for SQLite's shared memory. */
function snapshot(home: string): Record<string, string> {
  const files = readdirSync(home, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !relative(home, path).startsWith('.migration') && !path.endsWith('-shm'));
  return Object.fromEntries(files.sort().map((path) => [relative(home, path), readFileSync(path, 'latin1')]));
}

function longNames(path: string): unknown[] {
  const sqlite = new SqliteModule(path, { readonly: true });
  try {
    return sqlite.prepare('SELECT longname FROM longnames').pluck().all();
  } finally {
    sqlite.close();
  }
}

const pathsOf = (home: string) => resolvePaths({ cli: { home }, env: { HOME: '/nowhere' }, cwd: home });

describe.each(HOMES)('a home of %s', (_version, build) => {
  test('arrives in the layout of the guide, with its rows and keys; a second run finds nothing', () => {
    const home = join(scratch(), 'home');
    build(home);
    const report = migrate(home);
    expect(['migrated', 'nothing']).toContain(report.outcome);
    const paths = pathsOf(home);
    expect(paths.credentials.path).toBe(join(home, 'credentials.json'));
    expect(paths.database.path).toBe(join(home, 'database', 'meshtastic.sqlite'));
    expect(paths.store.path).toBe(join(home, 'store'));
    expect(paths.oldLayout).toEqual([]);
    expect(readFileSync(paths.credentials.path, 'utf8')).toBe(CREDENTIALS);
    expect(readFileSync(join(home, 'store', 'olm.db'), 'utf8')).toBe('python keys');
    expect(longNames(paths.database.path)).toEqual(['Alice']);
    expect(existsSync(join(home, 'matrix'))).toBe(false);
    expect(verifyMigration(paths).errors).toEqual([]);
    expect(migrate(home).outcome).toBe('nothing');

    const store = openStore({ path: paths.database.path, logger: silentLogger });
    expect(store.names.get(0xa1b2c3d4)?.longName).toBe('Alice');
    expect(store.links.byEvent('$2')[0]?.text).toBe('ho');
    expect(store.pluginData.get('telemetry', '!a1b2c3d4')).toEqual([1]);
    store.close();
  });

  test('a dry run names the work and changes nothing (C7: not even folders)', () => {
    const home = join(scratch(), 'home');
    build(home);
    const before = snapshot(home);
    const report = migrate(home, { dryRun: true });
    expect(report.outcome).toBe('planned');
    expect(snapshot(home)).toEqual(before);
    expect(existsSync(join(home, '.migration'))).toBe(false);
  });

  test('undone, it is as it was, byte for byte', () => {
    const home = join(scratch(), 'home');
    build(home);
    const before = snapshot(home);
    migrate(home);
    expect(snapshot(home)).not.toEqual(before);
    expect(undoLastMigration({ home, clock: systemClock }).outcome).toBe('undone');
    expect(snapshot(home)).toEqual(before);
    expect(() => undoLastMigration({ home, clock: systemClock })).toThrow(/no migration/);
    expect(migrate(home).outcome).toBe('migrated');
  });

  test('ended at any step, it can be finished or undone, and nothing is lost (M1, M2)', () => {
    const steps: string[] = [];
    const first = join(scratch(), 'home');
    build(first);
    migrate(first, { onStep: (step) => steps.push(step) });
    const wanted = snapshot(first);
    expect(steps.length).toBeGreaterThan(5);
    for (let last = 0; last < steps.length; last += 1) {
      for (const then of ['finish', 'undo'] as const) {
        const home = join(scratch(), 'home');
        build(home);
        const before = snapshot(home);
        let count = 0;
        const dieAt = (): void => {
          if (count === last) throw new Error('killed');
          count += 1;
        };
        expect(() => migrate(home, { onStep: dieAt })).toThrow('killed');
        const where = `killed before step ${last} (${steps[last]?.replace(first, '')}), then ${then}`;
        if (then === 'finish') {
          expect(migrate(home).outcome, where).toMatch(/migrated|resumed/);
          const after = snapshot(home);
          expect(Object.keys(after), where).toEqual(Object.keys(wanted));
          expect(longNames(join(home, 'database', 'meshtastic.sqlite')), where).toEqual(['Alice']);
        } else {
          if (readManifest(home) !== null) undoLastMigration({ home, clock: systemClock });
          expect(snapshot(home), where).toEqual(before);
        }
      }
    }
  });

  test('an undo ended at any step is finished by the next one', () => {
    const steps: string[] = [];
    const first = join(scratch(), 'home');
    build(first);
    migrate(first);
    undoLastMigration({ home: first, clock: systemClock, onStep: (step) => steps.push(step) });
    expect(steps.length).toBeGreaterThan(3);
    for (let last = 0; last < steps.length; last += 1) {
      const home = join(scratch(), 'home');
      build(home);
      const before = snapshot(home);
      migrate(home);
      let count = 0;
      const dieAt = (): void => {
        if (count === last) throw new Error('killed');
        count += 1;
      };
      expect(() => undoLastMigration({ home, clock: systemClock, onStep: dieAt })).toThrow('killed');
      undoLastMigration({ home, clock: systemClock });
      expect(snapshot(home), `killed before step ${last} of the undo`).toEqual(before);
    }
  });
});

test('tracks of gpxtracker come along from where its configuration put them, and go back', () => {
  const folder = scratch();
  const home = join(folder, 'home');
  const tracks = join(folder, 'my_tracks');
  put(join(home, 'config.yaml'), `community-plugins:\n  gpxtracker:\n    active: true\n    gpx_directory: ${tracks}\n`);
  put(join(tracks, '!a1b2c3d4.gpx'), '<gpx/>');
  put(join(tracks, 'notes.txt'), 'mine');
  put(join(home, 'plugins', 'community', 'gpxtracker', 'data', '!a1b2c3d4.gpx'), '<gpx>newer</gpx>');
  expect(verifyMigration(pathsOf(home)).legacy).toEqual([join(tracks, '!a1b2c3d4.gpx')]);
  const report = migrate(home);
  expect(report.notes.join()).toContain('gpx_directory in the configuration is left as it is');
  const arrived = readdirSync(join(home, 'plugins', 'community', 'gpxtracker', 'data')).sort();
  expect(arrived).toEqual(['!a1b2c3d4.gpx', expect.stringMatching(/^!a1b2c3d4_migrated_\d{8}T\d{6}Z\.gpx$/)]);
  expect(existsSync(join(tracks, '!a1b2c3d4.gpx'))).toBe(false);
  expect(readFileSync(join(tracks, 'notes.txt'), 'utf8')).toBe('mine');
  expect(migrate(home).outcome).toBe('nothing');
  expect(verifyMigration(pathsOf(home)).errors).toEqual([]);
  undoLastMigration({ home, clock: systemClock });
  expect(readFileSync(join(tracks, '!a1b2c3d4.gpx'), 'utf8')).toBe('<gpx/>');
});

test('M4: data of another folder is not touched unless it is named; then it is brought and kept', () => {
  const folder = scratch();
  const [home, other] = [join(folder, 'second'), join(folder, 'first')];
  home14(other);
  put(join(home, 'config.yaml'), 'own: 1\n');
  const before = snapshot(other);
  expect(migrate(home).outcome).toBe('nothing');
  expect(snapshot(other)).toEqual(before);

  expect(() => migrate(home, { from: [other] })).toThrow(/--force/);
  expect(snapshot(other)).toEqual(before);
  const report = migrate(home, { from: [other], force: true });
  expect(report.outcome).toBe('migrated');
  expect(readFileSync(join(home, 'config.yaml'), 'utf8')).toBe('matrix_rooms: []\n');
  expect(longNames(join(home, 'database', 'meshtastic.sqlite'))).toEqual(['Alice']);
  expect(readdirSync(other).some((name) => name.startsWith('.migrated-'))).toBe(true);
  expect(existsSync(join(other, 'matrix', 'credentials.json'))).toBe(false);
  undoLastMigration({ home, clock: systemClock });
  expect(snapshot(other)).toMatchObject(before);
  expect(readFileSync(join(home, 'config.yaml'), 'utf8')).toBe('own: 1\n');
});

test('M4, M6: a database that a live process has open is refused, by its pid; the home of nobody is not', async () => {
  const folder = scratch();
  const [home, other] = [join(folder, 'second'), join(folder, 'first')];
  home14(other);
  const holder = await holderOf(join(other, 'database', 'meshtastic.sqlite'));
  expect(() => migrate(home, { from: [other] })).toThrow(`pid ${holder.pid}`);
  await holder.end();
  expect(migrate(home, { from: [other] }).outcome).toBe('migrated');
});

test('M6: beside the Python relay nothing is moved nor undone, also when its database is in place already', async () => {
  const home = join(scratch(), 'home');
  home14(home);
  const relay = await oldRelayOn(join(home, 'database', 'meshtastic.sqlite'));
  const before = snapshot(home);
  expect(() => migrate(home)).toThrow(`pid ${relay.pid}`);
  expect(snapshot(home)).toEqual(before);

  await relay.end();
  expect(migrate(home).outcome).toBe('migrated');
  const again = await oldRelayOn(join(home, 'database', 'meshtastic.sqlite'));
  expect(() => undoLastMigration({ home, clock: systemClock })).toThrow(`pid ${again.pid}`);
});

test('M7: the lock of a dead process does not stop a migration; that of a live one does, with its pid', async () => {
  const home = join(scratch(), 'home');
  home13(home);
  put(
    join(home, 'mmrelay.lock'),
    JSON.stringify({ pid: 999_999_999, bootId: '', startTicks: '1', host: 'x', since: '' }),
  );
  const { acquireLock } = await import('../../../src/observe/process-lock.ts');
  const { utimesSync } = await import('node:fs');
  utimesSync(join(home, 'mmrelay.lock'), 1, 1);
  expect(migrate(home).outcome).toBe('migrated');
  const second = join(scratch(), 'home');
  home13(second);
  const held = acquireLock({ path: join(second, 'mmrelay.lock'), clock: systemClock });
  expect(() => migrate(second)).toThrow(`pid ${process.pid}`);
  if (held.ok) held.lock.release();
});

test('M8: a clean home and one without credentials pass the verification', () => {
  const home = scratch();
  expect(verifyMigration(pathsOf(home)).errors).toEqual([]);
  put(join(home, 'config.yaml'), 'x: 1\n');
  expect(verifyMigration(pathsOf(home)).errors).toEqual([]);
  home13(home);
  expect(verifyMigration(pathsOf(home)).errors).toEqual([expect.stringContaining('migration is still required')]);
});

test('M9: a lone 1.2 database is found, also when a start has made an empty new one', () => {
  const home = scratch();
  oldDatabase(join(home, 'meshtastic.sqlite'), 'Lone');
  mkdirSync(join(home, 'database'));
  openStore({ path: join(home, 'database', 'meshtastic.sqlite'), logger: silentLogger }).close();
  const report = migrate(home);
  expect(report.files.some(({ kind }) => kind === 'database')).toBe(true);
  expect(report.rows).toMatchObject({ longnames: 1, message_map: 2 });
  expect(longNames(join(home, 'database', 'meshtastic.sqlite'))).toEqual(['Lone']);
});

test('M11: rotated logs come along, plugins are merged, a second database is put aside and named', () => {
  const folder = scratch();
  const [home, other] = [join(folder, 'home'), join(folder, 'old')];
  home14(other);
  put(join(other, 'plugins', 'custom', 'theirs', 'plugin.py'), 'x');
  put(join(home, 'plugins', 'custom', 'ours', 'index.js'), 'y');
  put(join(home, 'logs', 'mmrelay.log.1'), 'ours\n');
  oldDatabase(join(home, 'database', 'meshtastic.sqlite'), 'InUse');
  oldDatabase(join(home, 'meshtastic.sqlite'), 'Leftover');
  const report = migrate(home, { from: [other], force: true });
  expect(report.aside.map(({ source }) => relative(folder, source))).toContain('home/meshtastic.sqlite');
  expect(existsSync(join(home, 'plugins', 'custom', 'ours', 'index.js'))).toBe(true);
  expect(existsSync(join(home, 'plugins', 'custom', 'theirs', 'plugin.py'))).toBe(true);
  expect(readdirSync(join(home, 'logs')).sort()).toEqual([
    expect.stringMatching(/^mmrelay\.log\.1$/),
    expect.stringMatching(/^mmrelay_migrated_\d{8}T\d{6}Z\.log\.1$/),
  ]);
  expect(report.notes.join(' ')).toMatch(/auth login.*docs\/PLUGINS\.md/);
});

test('keys that this version made in a home of 1.4 move with their key file', () => {
  const home = scratch();
  home14(home);
  put(join(home, 'matrix', 'crypto.key'), 'key');
  put(join(home, 'matrix', 'store', 'crypto-DEV.sqlite'), 'sealed');
  migrate(home);
  const { credentials, store } = pathsOf(home);
  expect(readFileSync(join(credentials.path, '..', 'crypto.key'), 'utf8')).toBe('key');
  expect(readFileSync(join(store.path, 'crypto-DEV.sqlite'), 'utf8')).toBe('sealed');
});

test('M12: space is asked for by the size of the data', () => {
  const home = scratch();
  home12(home);
  expect(migrate(home, { dryRun: true }).bytes).toBeLessThan(1024 * 1024);
});

test('a damaged database stops the migration before anything is changed', () => {
  const home = scratch();
  home13(home);
  put(join(home, 'data', 'meshtastic.sqlite'), `SQLite format 3\0${'rubbish'.repeat(1000)}`);
  rmSync(join(home, 'data', 'meshtastic.sqlite-wal'));
  const before = snapshot(home);
  expect(() => migrate(home)).toThrow(/damaged|corrupt|database/i);
  expect(snapshot(home)).toEqual(before);
});

test('what is written is private', () => {
  const home = scratch();
  home13(home);
  migrate(home);
  expect(statSync(join(home, '.migration')).mode & 0o077).toBe(0);
  expect(statSync(join(home, '.migration', 'manifest.json')).mode & 0o077).toBe(0);
});
