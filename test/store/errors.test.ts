import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import SqliteModule from 'better-sqlite3';
import { expect, test } from 'vitest';
import { connect } from '../../src/store/connect.ts';
import { migrate } from '../../src/store/migrate.ts';
import { silentLogger } from '../../src/util/logger.ts';
import { RelayError } from '../../src/util/relay-error.ts';
import { open, scratch } from './fixtures.ts';
import { event, outboxRow } from './fixtures-plain.ts';

function failure(work: () => unknown): RelayError {
  try {
    work();
  } catch (error) {
    if (error instanceof RelayError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

test('a full database: nothing is half written, and the same operation works once there is room', () => {
  const path = join(scratch(), 'db.sqlite');
  open({ path }).close();
  const pages = statSync(path).size / 4096;
  const store = open({ path, pragmas: { max_page_count: pages + 3 } });
  const big = { text: 'x'.repeat(50_000) };
  const work = (): void =>
    store.transaction(() => {
      store.inbox.addEvent(event('$1'), 1);
      store.outbox.add(outboxRow({ payload: big }));
    });
  const error = failure(work);
  expect([error.code, error.retry.kind]).toEqual(['STORE_FULL', 'later']);
  expect(error.message).toContain(path);
  expect(store.inbox.hasEvent('$1')).toBe(false);
  // A caller that swallows the error in mid-transaction must not commit the rest.
  const swallowed = failure(() =>
    store.transaction(() => {
      store.values.set('before', '1');
      expect(failure(() => store.outbox.add(outboxRow({ payload: big }))).code).toBe('STORE_FULL');
      store.values.set('after', '1');
    }),
  );
  expect(swallowed.code).toBe('STORE_FULL');
  expect([store.values.get('before'), store.values.get('after')]).toEqual([null, null]);
  expect(store.integrityCheck().ok).toBe(true);
  store.close();
  const roomy = open({ path });
  roomy.transaction(() => {
    expect(roomy.inbox.addEvent(event('$1'), 1)).not.toBeNull();
    roomy.outbox.add(outboxRow({ payload: big }));
  });
  expect(roomy.outbox.head('radio:a')?.payload).toEqual(big);
  roomy.close();
});

test('a nested failure that is caught undoes the nested part only; a thrown one undoes all', () => {
  const store = open();
  store.transaction(() => {
    store.values.set('outer', '1');
    const nested = (): void =>
      store.transaction(() => {
        store.values.set('inner', '1');
        throw new Error('inner');
      });
    expect(nested).toThrow('inner');
  });
  expect([store.values.get('outer'), store.values.get('inner')]).toEqual(['1', null]);
  expect(() => store.transaction(() => Promise.resolve(store.values.set('late', '1')))).toThrow('synchronous');
  expect(store.values.get('late')).toBeNull();
});

test('locked by another process, and well again afterwards', () => {
  const path = join(scratch(), 'db.sqlite');
  const store = open({ path, busyTimeoutMs: 0 });
  const other = new SqliteModule(path);
  other.exec('BEGIN IMMEDIATE');
  const error = failure(() => store.values.set('a', '1'));
  expect([error.code, error.retry.kind]).toEqual(['STORE_BUSY', 'later']);
  other.exec('ROLLBACK');
  other.close();
  store.values.set('a', '1');
  store.close();
});

test('a damaged file and a file that is no database: the file and the remedy are named', () => {
  const path = join(scratch(), 'db.sqlite');
  writeFileSync(path, 'This is no database, but long enough to be looked at. '.repeat(100));
  const error = failure(() => open({ path }));
  expect([error.code, error.retry.kind]).toEqual(['STORE_CORRUPT', 'never']);
  expect(error.message).toContain(path);
  expect(error.message).toContain('mmrelay db check');
  const damaged = join(scratch(), 'damaged.sqlite');
  const store = open({ path: damaged });
  for (let n = 0; n < 500; n += 1) store.values.set(`key${n}`, 'x'.repeat(200));
  store.vacuum();
  store.close();
  const bytes = readFileSync(damaged);
  bytes.fill(0xaa, 4096 * 4);
  writeFileSync(damaged, bytes);
  expect(failure(() => open({ path: damaged }).values.get('key1')).code).toBe('STORE_CORRUPT');
});

test('a newer schema is refused and left as it is', () => {
  const path = join(scratch(), 'db.sqlite');
  const raw = new SqliteModule(path);
  raw.pragma('user_version = 99');
  raw.close();
  const error = failure(() => open({ path }));
  expect([error.code, error.retry.kind]).toEqual(['STORE_NEWER', 'never']);
  expect(error.message).toContain('newer mmrelay');
  expect(existsSync(`${path}.v99.bak`)).toBe(false);
});

test('a migration that fails leaves the version before it', () => {
  const path = join(scratch(), 'db.sqlite');
  const db = connect(path, 0, silentLogger);
  const failing = {
    version: 1,
    name: 'failing',
    apply: (): void => {
      db.script('CREATE TABLE half (x)');
      db.script('nonsense');
    },
  };
  expect(failure(() => migrate(db, silentLogger, [failing])).code).toBe('STORE_FAILED');
  expect(db.pragma('user_version')).toBe(0);
  expect(db.all('SELECT name FROM sqlite_schema')).toEqual([]);
  db.close();
});

test('a path that cannot hold a database is refused by name', () => {
  const folder = scratch();
  mkdirSync(join(folder, 'dir.sqlite'));
  expect(failure(() => open({ path: join(folder, 'dir.sqlite') })).message).toContain('dir.sqlite');
  writeFileSync(join(folder, 'file'), '');
  const below = failure(() => open({ path: join(folder, 'file', 'db.sqlite') }));
  expect(below.code).toBe('STORE_FAILED');
});

test('files are ours alone, in a folder that is ours alone; loose modes are tightened', () => {
  const folder = join(scratch(), 'database');
  const path = join(folder, 'db.sqlite');
  const store = open({ path });
  const mode = (file: string): string => (statSync(file).mode & 0o777).toString(8);
  expect([path, `${path}-wal`, `${path}-shm`].map(mode)).toEqual(['600', '600', '600']);
  expect(mode(folder)).toBe('700');
  store.close();
  chmodSync(path, 0o644);
  open({ path }).close();
  expect(mode(path)).toBe('600');
});

test('durable by default; pragmas of the configuration are checked', () => {
  const path = join(scratch(), 'db.sqlite');
  expect(failure(() => open({ pragmas: { 'a; DROP': 1 } })).code).toBe('CONFIG_PRAGMA');
  expect(failure(() => open({ pragmas: { temp_store: '1; --' } })).code).toBe('CONFIG_PRAGMA');
  open({ path, pragmas: { user_version: 50, journal_mode: 'OFF' } }).close();
  const raw = new SqliteModule(path);
  expect(raw.pragma('user_version', { simple: true })).toBe(3);
  expect(raw.pragma('journal_mode', { simple: true })).toBe('wal');
  raw.close();
});

test('online backup is whole while writing goes on; vacuum gives space back', async () => {
  const folder = scratch();
  const store = open({ path: join(folder, 'db.sqlite') });
  store.transaction(() => {
    for (let n = 0; n < 2000; n += 1) store.outbox.add(outboxRow({ payload: { text: 'x'.repeat(500) } }));
  });
  const target = join(folder, 'copy.sqlite');
  const copying = store.onlineBackup(target);
  store.values.set('during', '1');
  expect(await copying).toBe(statSync(target).size);
  expect((statSync(target).mode & 0o777).toString(8)).toBe('600');
  const copy = open({ path: target });
  expect(copy.integrityCheck()).toEqual({ ok: true, problems: [] });
  expect(copy.outbox.depths()[0]?.queued).toBe(2000);
  copy.close();
  await expect(store.onlineBackup(target)).rejects.toMatchObject({ code: 'STORE_FAILED' });
  for (const row of store.outbox.queued('radio:a', 5000)) store.outbox.update(row.rowId, { state: 'done' });
  store.outbox.prune(Number.MAX_SAFE_INTEGER);
  const before = store.size();
  expect(before.freeBytes).toBeGreaterThan(0);
  store.vacuum();
  expect(store.size().fileBytes).toBeLessThan(before.fileBytes);
  store.close();
});
