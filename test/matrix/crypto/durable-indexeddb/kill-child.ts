// The process that is killed: applies the transactions of a file from a given one on and says after each that it saw the end.
import { readFileSync, writeSync } from 'node:fs';
import { openDurableIndexedDb } from '../../../../src/matrix/crypto/durable-indexeddb/open-durable-indexeddb.ts';
import { applyToStore, makeStore, type RandomTransaction } from './random-operations.ts';

const [path = '', plan = '', start = '0'] = process.argv.slice(2);
const transactions = JSON.parse(readFileSync(plan, 'utf8')) as RandomTransaction[];
const durable = await openDurableIndexedDb({
  path,
  onFailure: (error) => {
    throw error;
  },
});
const request = durable.indexedDB.open('x', 1);
request.onupgradeneeded = () => makeStore(request.result);
const db = await new Promise<IDBDatabase>((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});
for (const transaction of transactions.slice(Number(start))) {
  await applyToStore(db, durable.IDBKeyRange, transaction);
  writeSync(1, '.');
}
await durable.close();
