// Numbers of the durable IndexedDB: opening 100,000 session-like records, and what a commit costs beside its fsync.
// Run: node test/bench/crypto-store.ts [records]
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
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
    sessions.createIndex('by sender', ['sender_key', 'sender_data_type']);
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
  const backup = n % 3 === 0 ? { needs_backup: 1 } : {};
  const sender = { sender_key: randomBytes(32).toString('base64'), sender_data_type: n % 4 };
  const value = { pickled: randomBytes(900).toString('base64'), ...sender, ...backup, backed_up_to: -1 };
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

function memory(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function load(path: string): Promise<void> {
  globalThis.gc?.();
  const before = memory();
  const cpuBefore = process.cpuUsage();
  const start = performance.now();
  const durable = await openDurableIndexedDb({ path, onFailure });
  const db = await opened(durable);
  const cpu = process.cpuUsage(cpuBefore);
  print(`open with ${RECORDS} records`, performance.now() - start, 'ms');
  print('its processor time, user (all threads)', cpu.user / 1000, 'ms');
  print('its processor time, system', cpu.system / 1000, 'ms');
  print('file', statSync(path).size / 1e6, 'MB');
  globalThis.gc?.();
  print('memory it holds (heap and buffers)', (memory() - before) / 1e6, 'MB');
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

/** In a process of its own: what filling left behind in this one would spoil the numbers. */
function loadElsewhere(path: string): void {
  const arguments_ = ['--expose-gc', fileURLToPath(import.meta.url), String(RECORDS), path];
  const { status } = spawnSync(process.execPath, arguments_, { stdio: 'inherit' });
  if (status !== 0) throw new Error(`loading ended with ${status}`);
}

async function all(): Promise<void> {
  await inFolder(tmpdir(), async (folder) => {
    print('one write + fsync of this disk', plainFsync(folder), 'ms');
    print('one commit on this disk', await commits(folder), 'ms');
    const path = join(folder, 'sessions.sqlite');
    await fill(path);
    loadElsewhere(path);
  });
  // Memory has nothing to wait for in fsync: what is left is our own cost.
  if (!existsSync('/dev/shm')) return;
  await inFolder('/dev/shm', async (folder) => {
    print('one commit without a disk (our cost beside fsync)', await commits(folder), 'ms');
  });
}

const path = process.argv[3];
await (path === undefined ? all() : load(path));
