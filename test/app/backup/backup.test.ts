import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import SqliteModule from 'better-sqlite3';
import { expect, test } from 'vitest';
import { makeBackup } from '../../../src/app/backup/backup.ts';
import { pruneDatabase, vacuumDatabase } from '../../../src/app/backup/database-care.ts';
import { restoreBackup } from '../../../src/app/backup/restore.ts';
import { readTar, tarOf } from '../../../src/app/backup/tar.ts';
import { resolvePaths } from '../../../src/config/paths.ts';
import { acquireLock } from '../../../src/observe/process-lock.ts';
import { openStore, type Store } from '../../../src/store/open-store.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { silentLogger } from '../../../src/util/logger.ts';
import { CREDENTIALS, put, scratch } from '../../support/old-homes.ts';

const pathsOf = (home: string) => resolvePaths({ cli: { home }, env: { HOME: '/nowhere' }, cwd: home });

function buildHome(home: string): Store {
  put(join(home, 'config.yaml'), 'x: 1\n');
  put(join(home, 'credentials.json'), CREDENTIALS);
  put(join(home, 'crypto.key'), 'key\n');
  put(join(home, 'recovery-key.txt'), 'words\n');
  put(join(home, 'plugins', 'custom', 'mine', 'index.js'), 'code');
  put(join(home, 'logs', 'mmrelay.log'), 'not in the backup');
  const store = openStore({ path: join(home, 'database', 'meshtastic.sqlite'), logger: silentLogger });
  store.values.set('sync_token', 's1');
  return store;
}

const backupOf = (home: string, output: string, password: string | null = null) =>
  makeBackup({ paths: pathsOf(home), configFile: join(home, 'config.yaml'), output, password, clock: systemClock });
const restoreTo = (home: string, archive: string, password: string | null = null, checkOnly = false) =>
  restoreBackup({ archive, home, password, clock: systemClock, checkOnly });

test('a backup beside running databases, one of them locked for itself alone, comes back whole', async () => {
  const folder = scratch();
  const home = join(folder, 'home');
  const store = buildHome(home);
  mkdirSync(join(home, 'store'));
  const keys = new SqliteModule(join(home, 'store', 'crypto.sqlite'));
  keys.pragma('locking_mode = EXCLUSIVE');
  keys.pragma('journal_mode = WAL');
  keys.exec("CREATE TABLE k (v TEXT); INSERT INTO k VALUES ('secret key')");

  const archive = join(folder, 'b.tar.gz');
  const made = await backupOf(home, archive);
  expect(made.files.toSorted()).toEqual([
    'config.yaml',
    'credentials.json',
    'crypto.key',
    'database/meshtastic.sqlite',
    'plugins/custom/mine/index.js',
    'recovery-key.txt',
    'store/crypto.sqlite',
  ]);
  expect(statSync(archive).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder).sort()).toEqual(['b.tar.gz', 'home']);
  store.values.set('sync_token', 's2');
  store.close();
  keys.close();

  // The tar of the system reads it: nobody depends on this program to get at the files.
  const listed = execFileSync('tar', ['tzf', archive], { encoding: 'utf8' }).trim().split('\n').sort();
  expect(listed).toEqual(['backup.json', ...made.files].sort());

  const { kept } = await restoreTo(home, archive);
  expect(kept).not.toBeNull();
  const restored = openStore({ path: join(home, 'database', 'meshtastic.sqlite'), logger: silentLogger });
  expect(restored.values.get('sync_token')).toBe('s1');
  restored.close();
  const back = new SqliteModule(join(home, 'store', 'crypto.sqlite'), { readonly: true });
  expect(back.prepare('SELECT v FROM k').pluck().get()).toBe('secret key');
  back.close();
  expect(readFileSync(join(home, 'credentials.json'), 'utf8')).toBe(CREDENTIALS);
  expect(existsSync(join(kept ?? '', 'database', 'meshtastic.sqlite'))).toBe(true);
  expect(readdirSync(home).filter((name) => name.startsWith('.restore-'))).toEqual([]);

  const fresh = join(folder, 'fresh');
  expect((await restoreTo(fresh, archive)).kept).toBeNull();
  expect(readFileSync(join(fresh, 'plugins', 'custom', 'mine', 'index.js'), 'utf8')).toBe('code');
});

test('encrypted: nothing readable inside; a wrong password, a flipped bit and a cut end are told, and change nothing', async () => {
  const folder = scratch();
  const home = join(folder, 'home');
  buildHome(home).close();
  const archive = join(folder, 'b.sealed');
  await backupOf(home, archive, 'correct horse');
  const bytes = readFileSync(archive);
  expect(bytes.subarray(0, 16).toString()).toBe('MMRELAY-SEALED-1');
  const fresh = join(folder, 'fresh');
  await expect(restoreTo(fresh, archive)).rejects.toThrow('is encrypted');
  await expect(restoreTo(fresh, archive, 'wrong')).rejects.toThrow(/password is wrong/);
  const flipped = Buffer.from(bytes);
  flipped[bytes.length >> 1] = (flipped[bytes.length >> 1] ?? 0) ^ 1;
  writeFileSync(join(folder, 'flipped'), flipped);
  await expect(restoreTo(fresh, join(folder, 'flipped'), 'correct horse')).rejects.toThrow(/damaged/);
  expect(readdirSync(fresh)).toEqual([]);
  expect((await restoreTo(fresh, archive, 'correct horse', true)).manifest.files.length).toBe(6);
  expect(readdirSync(fresh)).toEqual([]);
  await restoreTo(fresh, archive, 'correct horse');
  expect(readFileSync(join(fresh, 'config.yaml'), 'utf8')).toBe('x: 1\n');
});

test('archives that are no backup, are cut, or reach out of the home are refused', async () => {
  const folder = scratch();
  const home = join(folder, 'home');
  buildHome(home).close();
  const archive = join(folder, 'b.tar.gz');
  await backupOf(home, archive);
  writeFileSync(join(folder, 'cut'), readFileSync(archive).subarray(0, 2000));
  await expect(restoreTo(join(folder, 'f'), join(folder, 'cut'))).rejects.toThrow();
  put(join(folder, 'evil', 'x'), 'x');
  execFileSync('tar', [
    'czf',
    join(folder, 'evil.tgz'),
    '--transform',
    's,x,../../out,',
    '-C',
    join(folder, 'evil'),
    'x',
  ]);
  await expect(restoreTo(join(folder, 'f'), join(folder, 'evil.tgz'))).rejects.toThrow(/no backup does|not/);
  expect(existsSync(join(folder, 'out'))).toBe(false);
  await expect(backupOf(home, archive)).rejects.toThrow('exists already');
});

test('restore, vacuum and prune refuse to run beside a daemon', async () => {
  const folder = scratch();
  const home = join(folder, 'home');
  buildHome(home).close();
  const archive = join(folder, 'b.tar.gz');
  await backupOf(home, archive);
  const lock = acquireLock({ path: join(home, 'mmrelay.lock'), clock: systemClock });
  const pid = `pid ${process.pid}`;
  await expect(restoreTo(home, archive)).rejects.toThrow(pid);
  expect(() => vacuumDatabase(pathsOf(home), systemClock)).toThrow(pid);
  expect(() => pruneDatabase(pathsOf(home), { clock: systemClock, keepLinks: 1 })).toThrow(pid);
  if (lock.ok) lock.lock.release();
  expect(vacuumDatabase(pathsOf(home), systemClock).afterBytes).toBeGreaterThan(0);
  expect(pruneDatabase(pathsOf(home), { clock: systemClock, keepLinks: 1 })).toEqual({ inbox: 0, outbox: 0, links: 0 });
});

test('an archive of any sizes and long names is read as it was written, in pieces of any size', async () => {
  const folder = scratch();
  const sizes = [0, 1, 511, 512, 513, 100_000];
  const names = sizes.map((size) => `plugins/${'long-folder-name/'.repeat(7)}file-${size}`);
  const entries = names.map((name, index) => {
    const path = join(folder, String(index));
    writeFileSync(path, Buffer.alloc(sizes[index] ?? 0, index));
    return { name, path };
  });
  const chunks: Uint8Array[] = [];
  for await (const chunk of tarOf(entries)) chunks.push(chunk);
  const whole = Buffer.concat(chunks);
  for (const step of [1_000_000, 513, 7]) {
    const pieces = async function* () {
      for (let at = 0; at < whole.length; at += step) yield whole.subarray(at, at + step);
    };
    const found: [string, number][] = [];
    await readTar(pieces(), {
      onFile: (name) => {
        let bytes = 0;
        const write = (part: Uint8Array): void => {
          bytes += part.byteLength;
        };
        return { write, end: () => void found.push([name, bytes]) };
      },
    });
    expect(found).toEqual(names.map((name, index) => [name, sizes[index]]));
  }
});
