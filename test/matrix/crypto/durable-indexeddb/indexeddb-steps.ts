import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import {
  type DurableIndexedDb,
  openDurableIndexedDb,
} from '../../../../src/matrix/crypto/durable-indexeddb/open-durable-indexeddb.ts';

/** The result of a request. */
export function done<Result>(request: IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** Resolves with 'complete' or the name of the error that aborted ('' for abort()). */
export function ended(transaction: IDBTransaction): Promise<string> {
  return new Promise((resolve) => {
    transaction.oncomplete = () => resolve('complete');
    transaction.onabort = () => resolve(transaction.error?.name ?? '');
  });
}

export type Upgrade = (db: IDBDatabase, transaction: IDBTransaction, oldVersion: number) => void;

export function open(factory: IDBFactory, name: string, version?: number, upgrade?: Upgrade): Promise<IDBDatabase> {
  const request = version === undefined ? factory.open(name) : factory.open(name, version);
  request.onupgradeneeded = (event) => {
    if (request.transaction !== null) upgrade?.(request.result, request.transaction, event.oldVersion);
  };
  return done(request);
}

/** Runs the operations in one readwrite transaction over all stores; resolves how it ended. */
export function write(db: IDBDatabase, operations: (store: (name: string) => IDBObjectStore) => void): Promise<string> {
  const transaction = db.transaction([...db.objectStoreNames], 'readwrite');
  const end = ended(transaction);
  operations((name) => transaction.objectStore(name));
  return end;
}

/** Every record of every store, read through a cursor. */
export async function dump(db: IDBDatabase): Promise<Record<string, [IDBValidKey, unknown][]>> {
  const out: Record<string, [IDBValidKey, unknown][]> = {};
  for (const name of db.objectStoreNames) {
    const store = db.transaction(name).objectStore(name);
    const keys = done(store.getAllKeys());
    const values = await done(store.getAll());
    out[name] = (await keys).map((key, at) => [key, values[at]]);
  }
  return out;
}

export interface Restartable {
  readonly path: string;
  readonly failures: unknown[];
  current(): IDBFactory;
  range(): typeof IDBKeyRange;
  /** Closes, does `between` with the closed file, and opens again. */
  restart(between?: () => void): Promise<IDBFactory>;
}

/** A store in a folder of its own, closed and removed when the test ends. */
export async function restartable(): Promise<Restartable> {
  const folder = mkdtempSync(join(tmpdir(), 'mmrelay-idb-'));
  const path = join(folder, 'crypto.sqlite');
  const failures: unknown[] = [];
  const onFailure = (error: unknown): void => {
    failures.push(error);
  };
  let durable: DurableIndexedDb = await openDurableIndexedDb({ path, onFailure });
  onTestFinished(async () => {
    await durable.close();
    rmSync(folder, { recursive: true });
  });
  return {
    path,
    failures,
    current: () => durable.indexedDB,
    range: () => durable.IDBKeyRange,
    async restart(between) {
      await durable.close();
      between?.();
      durable = await openDurableIndexedDb({ path, onFailure });
      return durable.indexedDB;
    },
  };
}
