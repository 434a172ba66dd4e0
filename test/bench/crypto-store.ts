// Numbers of the durable IndexedDB: opening 100,000 session-like records, and what a commit costs beside its fsync.
// Run: node test/bench/crypto-store.ts [records]
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type DurableIndexedDb,
  openDurableIndexedDb,
} from '../../src/matrix/crypto/durable-indexeddb/open-durable-indexeddb.ts';

const RECORDS = Number(process.argv[2] ?? 100_000);
const COMMITS = 2000;

const print = (name: string, value: number, unit: string): void => {
  process.stdout.write(`${name.padEnd(58)} ${value.toFixed(3).padStart(12)} ${unit}\n`);
};
const onFailure = (error: Error): never => {
  throw error;
};

function opened(durable: DurableIndexedDb): Promise<IDBDatabase> {
  const request = durable.indexedDB.open('crypto', 1);
  request.onupgradeneeded = () => {
    const sessions = request.result.createObjectStore('sessions');
    sessions.createIndex('by room', ['room', 'id']);
    sessions.createIndex('not backed up', 'needs_backup');
  };
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function complete(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });
}

/** Like an encrypted inbound group session of the Rust crypto: a hashed key, a kilobyte of ciphertext. */
function session(n: number): { key: string; value: object } {
  const key = `${n.toString(36).padStart(8, '0')}:${randomBytes(32).toString('base64')}`;
  const value = { pickled: randomBytes(900).toString('base64'), needs_backup: n % 3 === 0 ? 1 : 0, backed_up_to: -1 };
  return { key, value };
}

async function fill(path: string): Promise<void> {
  const durable = await openDurableIndexedDb({ path, onFailure });
  const db = await opened(durable);
  for (let from = 0; from < RECORDS; from += 5000) {
    const transaction = db.transaction('sessions', 'readwrite');
    for (let n = from; n < Math.min(RECORDS, from + 5000); n += 1) {
      const { key, value } = session(n);
      transaction.objectStore('sessions').put(value, key);
    }
    await complete(transaction);
  }
  await durable.close();
}

async function load(path: string): Promise<void> {
  global.gc?.();
  const before = process.memoryUsage.rss();
  const start = performance.now();
  const durable = await openDurableIndexedDb({ path, onFailure });
  const db = await opened(durable);
  print(`open with ${RECORDS} records`, performance.now() - start, 'ms');
  print('file', statSync(path).size / 1e6, 'MB');
  print('resident memory added', (process.memoryUsage.rss() - before) / 1e6, 'MB');
  const readStart = performance.now();
  const store = db.transaction('sessions').objectStore('sessions');
  await new Promise((resolve) => {
    store.index('not backed up').getAllKeys(1, 100).onsuccess = resolve;
  });
  print('first 100 keys of an index', performance.now() - readStart, 'ms');
  await durable.close();
}

async function commits(folder: string): Promise<number> {
  const durable = await openDurableIndexedDb({ path: join(folder, 'commits.sqlite'), onFailure });
  const db = await opened(durable);
  const todo = Array.from({ length: COMMITS }, (_, n) => session(n % 500));
  const start = performance.now();
  for (const { key, value } of todo) {
    const transaction = db.transaction('sessions', 'readwrite');
    transaction.objectStore('sessions').put(value, key);
    await complete(transaction);
  }
  const each = (performance.now() - start) / COMMITS;
  await durable.close();
  return each;
}

function plainFsync(folder: string): number {
  const file = openSync(join(folder, 'plain'), 'w');
  const start = performance.now();
  for (let n = 0; n < 500; n += 1) {
    writeSync(file, Buffer.alloc(4096));
    fsyncSync(file);
  }
  closeSync(file);
  return (performance.now() - start) / 500;
}

async function inFolder(parent: string, work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(parent, 'mmrelay-bench-'));
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

await inFolder(tmpdir(), async (folder) => {
  print('one write + fsync of this disk', plainFsync(folder), 'ms');
  print('one commit on this disk', await commits(folder), 'ms');
  const path = join(folder, 'sessions.sqlite');
  await fill(path);
  await load(path);
});
// Memory has nothing to wait for in fsync: what is left is our own cost.
if (existsSync('/dev/shm')) {
  await inFolder('/dev/shm', async (folder) => {
    print('one commit without a disk (our cost beside fsync)', await commits(folder), 'ms');
  });
}
