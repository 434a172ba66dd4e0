import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, onTestFinished, test } from 'vitest';
import { installIndexedDbGlobals } from '../../../../src/matrix/crypto/durable-indexeddb/install-globals.ts';
import { openDurableIndexedDb } from '../../../../src/matrix/crypto/durable-indexeddb/open-durable-indexeddb.ts';
import { StoreFile } from '../../../../src/matrix/crypto/durable-indexeddb/store-file.ts';
import { done, dump, ended, open, type Restartable, restartable, write } from './indexeddb-steps.ts';

const made = (db: IDBDatabase): unknown => db.createObjectStore('a');

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'mmrelay-idb-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

/** A closed store with a few hundred records. */
async function filledFile(): Promise<string> {
  const path = join(folder(), 'crypto.sqlite');
  const durable = await openDurableIndexedDb({ path, onFailure: () => undefined });
  const db = await open(durable.indexedDB, 'x', 1, made);
  await write(db, (at) => {
    for (let key = 0; key < 500; key += 1) at('a').put(`value ${key}`.repeat(10), key);
  });
  await durable.close();
  return path;
}

const reopen = (path: string): Promise<unknown> => openDurableIndexedDb({ path, onFailure: () => undefined });

describe('when the disk refuses a write', () => {
  test('the transaction aborts and is undone, onFailure is called once, nothing more is written', async () => {
    const store = await restartable();
    const db = await open(store.current(), 'x', 1, made);
    await write(db, (at) => at('a').put('kept', 1));
    const factory = await restartWithTrigger(store);
    const again = await open(factory, 'x');
    const events: string[] = [];
    const transaction = again.transaction('a', 'readwrite');
    transaction.addEventListener('complete', () => events.push('complete'));
    transaction.addEventListener('abort', () => events.push('abort'));
    const end = ended(transaction);
    const queued = again.transaction('a', 'readwrite');
    const queuedEnd = ended(queued);
    transaction.objectStore('a').put('half', 2);
    transaction.objectStore('a').put('boom', 3);
    queued.objectStore('a').put('after the failure', 4);
    expect([await end, await queuedEnd]).toEqual(['UnknownError', 'UnknownError']);
    expect(events).toEqual(['abort']);
    expect(store.failures).toMatchObject([{ code: 'CRYPTO_STORE_WRITE_FAILED' }]);
    expect(() => again.transaction('a')).toThrow(expect.objectContaining({ name: 'UnknownError' }));
    expect(() => factory.open('x')).toThrow(expect.objectContaining({ name: 'UnknownError' }));
    expect((await dump(await open(await store.restart(), 'x'))).a).toEqual([[1, 'kept']]);
  });

  test('a version change and deleteDatabase fail the same way', async () => {
    const store = await restartable();
    (await open(store.current(), 'x', 1, made)).close();
    const factory = await restartWithTrigger(store);
    const attempt = open(factory, 'x', 2, (db) => db.createObjectStore('b').put('boom', 1));
    const deleted = done(factory.deleteDatabase('x'));
    await expect(attempt).rejects.toMatchObject({ name: 'AbortError' });
    await expect(deleted).rejects.toMatchObject({ name: 'UnknownError' });
    expect(store.failures).toHaveLength(1);
    const again = await open(await store.restart(), 'x');
    expect([again.version, [...again.objectStoreNames]]).toEqual([1, ['a']]);
  });
});

/** A trigger in the file stands for the full disk: it makes SQLite fail in the middle of our transaction. */
function restartWithTrigger(store: Restartable): Promise<IDBFactory> {
  return store.restart(() => {
    const db = new Database(store.path);
    db.exec(`CREATE TRIGGER full BEFORE INSERT ON records WHEN instr(new.value, 'boom') > 0
      BEGIN SELECT RAISE(ABORT, 'disk full'); END`);
    db.close();
  });
}

describe('a file that cannot be used is told and left as it is', () => {
  test.each([
    ['cut in the middle', (path: string) => truncateSync(path, 20_480)],
    ['cut in the header', (path: string) => truncateSync(path, 60)],
    ['empty', (path: string) => truncateSync(path, 0)],
    ['zeros at the start', (path: string) => overwrite(path, 0, Buffer.alloc(4096))],
    ['junk in the middle', (path: string) => overwrite(path, 8192, Buffer.alloc(8192, 0xa5))],
  ])('%s: CRYPTO_STORE_CORRUPT', async (_, damage) => {
    const path = await filledFile();
    damage(path);
    const before = readFileSync(path);
    await expect(reopen(path)).rejects.toMatchObject({ code: 'CRYPTO_STORE_CORRUPT' });
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  test('not ours: CRYPTO_STORE_FOREIGN', async () => {
    const path = join(folder(), 'other');
    writeFileSync(
      path,
      'a letter to somebody, long enough to be more than a header of a hundred bytes, and so on, and on, amen',
    );
    await expect(reopen(path)).rejects.toMatchObject({ code: 'CRYPTO_STORE_FOREIGN' });
    const sqlite = join(folder(), 'other.sqlite');
    new Database(sqlite).exec('CREATE TABLE t (x)').close();
    const before = readFileSync(sqlite);
    await expect(reopen(sqlite)).rejects.toMatchObject({ code: 'CRYPTO_STORE_FOREIGN' });
    expect(readFileSync(sqlite).equals(before)).toBe(true);
  });

  test('from a newer program: CRYPTO_STORE_NEWER', async () => {
    const path = await filledFile();
    const db = new Database(path);
    db.pragma('user_version = 3');
    db.close();
    await expect(reopen(path)).rejects.toMatchObject({ code: 'CRYPTO_STORE_NEWER' });
  });

  test('no folder: CRYPTO_STORE_UNUSABLE', async () => {
    await expect(reopen(join(folder(), 'none', 'x'))).rejects.toMatchObject({ code: 'CRYPTO_STORE_UNUSABLE' });
  });
});

describe('bytes that SQLite takes for good but that are not ours', () => {
  test.each([
    ['a key', "INSERT INTO records (store_id, key, value) SELECT id, x'60', x'00' FROM stores"],
    ['a value', "UPDATE records SET value = x'00'"],
  ])('%s: the reader gets an error, onFailure hears CRYPTO_STORE_CORRUPT, nothing is written any more', async (_, sql) => {
    const store = await restartable();
    const db = await open(store.current(), 'x', 1, made);
    await write(db, (at) => at('a').put('value', 1));
    const factory = await store.restart(() => {
      const file = new Database(store.path);
      file.exec(sql);
      file.close();
    });
    const again = await open(factory, 'x');
    await expect(done(again.transaction('a').objectStore('a').getAll())).rejects.toMatchObject({
      name: 'UnknownError',
    });
    expect(store.failures).toMatchObject([{ code: 'CRYPTO_STORE_CORRUPT' }]);
    expect(() => again.transaction('a', 'readwrite')).toThrow(expect.objectContaining({ name: 'UnknownError' }));
  });
});

test('a file of layout 1, which had no index entries, is brought to this layout', async () => {
  const store = await restartable();
  const db = await open(store.current(), 'x', 3, (upgraded) => {
    const people = upgraded.createObjectStore('a', { keyPath: 'id' });
    people.createIndex('by tag', 'tags', { multiEntry: true });
    people.createIndex('by name', ['name'], { unique: true });
  });
  await write(db, (at) => {
    for (let id = 0; id < 300; id += 1) at('a').put({ id, name: `name ${id}`, tags: [id % 2, 'all'] });
  });
  const factory = await store.restart(() => {
    const file = new Database(store.path);
    file.exec(`DROP TABLE entries; PRAGMA user_version = 1;
      UPDATE stores SET definition = json_remove(definition, '$.indexes[0].id', '$.indexes[1].id')`);
    file.close();
  });
  const ask = async (from: IDBDatabase): Promise<unknown> => {
    const a = from.transaction('a').objectStore('a');
    return [await done(a.index('by tag').count('all')), await done(a.index('by name').getKey(['name 7']))];
  };
  const upgraded = await open(factory, 'x');
  expect(await ask(upgraded)).toEqual([300, 7]);
  expect(await write(upgraded, (at) => at('a').delete(7))).toBe('complete');
  expect(await ask(await open(await store.restart(), 'x'))).toEqual([299, undefined]);
});

function overwrite(path: string, at: number, bytes: Buffer): void {
  const content = readFileSync(path);
  bytes.copy(content, at);
  writeFileSync(path, content);
}

describe('one process per store', () => {
  test('the second opening is refused, here and in another process, until the first closes or dies', async () => {
    const path = join(folder(), 'crypto.sqlite');
    const first = await openDurableIndexedDb({ path, onFailure: () => undefined });
    await expect(reopen(path)).rejects.toMatchObject({ code: 'CRYPTO_STORE_IN_USE' });
    await first.close();
    const module = new URL(
      '../../../../src/matrix/crypto/durable-indexeddb/open-durable-indexeddb.ts',
      import.meta.url,
    );
    const script = `import { openDurableIndexedDb } from ${JSON.stringify(module.href)};
      await openDurableIndexedDb({ path: ${JSON.stringify(path)}, onFailure: () => undefined });
      console.log('open'); setInterval(() => undefined, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    await expect(reopen(path)).rejects.toMatchObject({ code: 'CRYPTO_STORE_IN_USE' });
    child.kill('SIGKILL');
    await once(child, 'exit');
    await (await openDurableIndexedDb({ path, onFailure: () => undefined })).close();
  });

  test('the file, and the log beside it, are for the owner only', async () => {
    const store = await restartable();
    await open(store.current(), 'x', 1, made);
    expect([store.path, `${store.path}-wal`].map((path) => statSync(path).mode & 0o777)).toEqual([0o600, 0o600]);
    chmodSync(store.path, 0o644);
    await store.restart();
    expect(statSync(store.path).mode & 0o777).toBe(0o600);
  });

  test('a draft left by a process killed while it made the file is no hindrance', async () => {
    const from = await filledFile();
    const path = join(folder(), 'crypto.sqlite');
    copyFileSync(from, `${path}.new-${process.pid}`);
    const durable = await openDurableIndexedDb({ path, onFailure: () => undefined });
    expect(await durable.indexedDB.databases()).toEqual([]);
    await durable.close();
  });
});

describe('close', () => {
  test('waits for the transactions that run, refuses new ones, and can be called twice', async () => {
    const path = join(folder(), 'crypto.sqlite');
    const durable = await openDurableIndexedDb({ path, onFailure: () => undefined });
    const db = await open(durable.indexedDB, 'x', 1, made);
    const end = write(db, (at) => at('a').put('in time', 1));
    const closed = Promise.all([durable.close(), durable.close()]);
    expect(() => db.transaction('a', 'readwrite')).toThrow(expect.objectContaining({ name: 'InvalidStateError' }));
    expect(() => durable.indexedDB.open('x')).toThrow(expect.objectContaining({ name: 'InvalidStateError' }));
    expect(await end).toBe('complete');
    await closed;
    const file = new StoreFile(path);
    expect(file.databases()).toMatchObject([{ name: 'x', version: 1 }]);
    file.close();
  });
});

test('globals are put where browser code looks, once, and taken away again', async () => {
  const store = await restartable();
  const target: Record<string, unknown> = { IDBRequest: 'of somebody else' };
  const remove = installIndexedDbGlobals(store.current(), target);
  expect(target.indexedDB).toBe(store.current());
  expect(await open(store.current(), 'x', 1, made)).toBeInstanceOf(target.IDBDatabase as typeof IDBDatabase);
  expect(() => installIndexedDbGlobals(store.current(), target)).toThrow(
    expect.objectContaining({ code: 'CRYPTO_INDEXEDDB_TAKEN' }),
  );
  remove();
  expect(target).toEqual({ IDBRequest: 'of somebody else' });
});
