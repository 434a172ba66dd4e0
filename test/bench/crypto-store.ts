// Numbers of the durable IndexedDB: opening 100,000 session-like records, and what a commit costs beside its fsync.
// As a program of its own it opens the file it is given and prints what that took.
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
import type { Measure } from './measures.ts';
import { MEMORY_DISK } from './rig.ts';

const RECORDS = 100_000;
const COMMITS = 2000;

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

interface Load {
  readonly openMs: number;
  readonly cpuMs: number;
  readonly memoryMb: number;
  readonly firstKeysMs: number;
}

async function load(path: string): Promise<Load> {
  globalThis.gc?.();
  const memoryBefore = memory();
  const cpuBefore = process.cpuUsage();
  const start = performance.now();
  const durable = await openDurableIndexedDb({ path, onFailure });
  const db = await opened(durable);
  const openMs = performance.now() - start;
  const cpu = process.cpuUsage(cpuBefore);
  globalThis.gc?.();
  const memoryMb = (memory() - memoryBefore) / 2 ** 20;
  const readStart = performance.now();
  const store = db.transaction('sessions').objectStore('sessions');
  await new Promise((resolve) => {
    store.index('not backed up').getAllKeys(1, 100).onsuccess = resolve;
  });
  const firstKeysMs = performance.now() - readStart;
  await durable.close();
  return { openMs, cpuMs: (cpu.user + cpu.system) / 1000, memoryMb, firstKeysMs };
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

async function inFolder<Result>(parent: string, work: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(join(parent, 'mmrelay-bench-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** In a process of its own: what filling left behind in this one would spoil the numbers. */
function loadElsewhere(path: string): Load {
  const arguments_ = ['--expose-gc', fileURLToPath(import.meta.url), path];
  const { status, stdout } = spawnSync(process.execPath, arguments_, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`loading ended with ${status}`);
  return JSON.parse(stdout) as Load;
}

export async function measureCryptoStore(): Promise<readonly Measure[]> {
  const { fsyncMs, commitMs, loaded, fileMb } = await inFolder(tmpdir(), async (folder) => {
    const path = join(folder, 'sessions.sqlite');
    await fill(path);
    return {
      fsyncMs: plainFsync(folder),
      commitMs: await commits(folder),
      loaded: loadElsewhere(path),
      fileMb: statSync(path).size / 2 ** 20,
    };
  });
  // Memory has nothing to wait for in fsync: what is left is our own cost.
  const ownMs = existsSync(MEMORY_DISK) ? await inFolder(MEMORY_DISK, commits) : commitMs;
  const isFast = loaded.openMs < 2_000;
  return [
    {
      name: `crypto store: opening ${RECORDS} sessions`,
      value: loaded.openMs,
      unit: 'ms',
      goal: '< 2000',
      met: isFast,
    },
    { name: 'crypto store: its processor time', value: loaded.cpuMs, unit: 'ms' },
    { name: 'crypto store: memory it holds then', value: loaded.memoryMb, unit: 'MB' },
    { name: 'crypto store: its file', value: fileMb, unit: 'MB' },
    { name: 'crypto store: first 100 keys of an index', value: loaded.firstKeysMs, unit: 'ms' },
    { name: 'crypto store: a write and fsync of this disk', value: fsyncMs, unit: 'ms' },
    { name: 'crypto store: a commit on this disk', value: commitMs, unit: 'ms' },
    { name: 'crypto store: a commit without the disk', value: ownMs, unit: 'ms', goal: '< 1', met: ownMs < 1 },
  ];
}

const [, program, path] = process.argv;
if (program === fileURLToPath(import.meta.url) && path !== undefined) {
  process.stdout.write(JSON.stringify(await load(path)));
}
