import type { RawStore, RollbackLog } from './fake-internals.ts';
import type { StoredKey } from './key-codec.ts';
import { StoredRecord } from './stored-record.ts';
import type { TransactionJournal } from './transaction-journal.ts';
import { encodeValue } from './value-codec.ts';

/** The journal of the transaction that owns this undo log; undefined for undo steps themselves. */
export type JournalOf = (rollbackLog: RollbackLog | undefined) => TransactionJournal | undefined;

/**
 * Makes every change of an object store go through the journal of its transaction: all of put, add, delete, clear and
 * of a cursor's update and delete end in these three methods.
 */
export function hookStore(store: RawStore, journalOf: JournalOf): void {
  const storeRecord = store.storeRecord.bind(store);
  const deleteRecord = store.deleteRecord.bind(store);
  const clear = store.clear.bind(store);

  store.storeRecord = (record, noOverwrite, rollbackLog) => {
    const journal = journalOf(rollbackLog);
    if (journal === undefined) return storeRecord(record, noOverwrite, rollbackLog);
    journal.touch(store);
    const { value } = record;
    const stored = new StoredRecord(record.key, encodeValue(value));
    const injectsKey = store.keyGenerator !== null && store.keyPath !== null;
    const key = stored.whileLive(value, () => storeRecord(stored, noOverwrite, rollbackLog), injectsKey);
    journal.changed(store, key);
    return key;
  };
  store.deleteRecord = (keyOrRange, rollbackLog) => {
    const journal = journalOf(rollbackLog);
    for (const key of journal === undefined ? [] : keysIn(store, keyOrRange)) journal?.changed(store, key);
    deleteRecord(keyOrRange, rollbackLog);
  };
  store.clear = (rollbackLog) => {
    journalOf(rollbackLog)?.cleared(store);
    clear(rollbackLog);
  };
}

function keysIn(store: RawStore, keyOrRange: unknown): StoredKey[] {
  const isRange = keyOrRange instanceof Object && 'lowerOpen' in keyOrRange;
  if (!isRange) return [keyOrRange as StoredKey];
  return [...store.records.values(keyOrRange)].flatMap(({ key }) => (key === undefined ? [] : [key]));
}
