import type { DurableState } from './durable-state.ts';
import { type RawDatabase, type RollbackLog, rawDatabaseOf, rawStoreOf, rawTransactionOf } from './fake-internals.ts';
import { hookStore, type JournalOf } from './raw-store-hooks.ts';
import { TransactionJournal } from './transaction-journal.ts';

/**
 * Makes one fake-indexeddb factory durable by hooks on its objects (never on shared prototypes). One per open store;
 * holds the journals of running transactions. Invariant: our step of an event comes before any listener of the caller, so nobody
 * sees `complete` or `success` of something that is not on disk.
 */
export class DurableFactory {
  readonly #state: DurableState;
  readonly #journals = new WeakMap<RollbackLog, TransactionJournal>();
  readonly #hooked = new WeakSet<IDBDatabase>();
  #closing = false;

  constructor(state: DurableState) {
    this.#state = state;
  }

  readonly #journalOf: JournalOf = (log) => (log === undefined ? undefined : this.#journals.get(log));

  /** For the databases that were read from disk. */
  hookStores(database: RawDatabase): void {
    for (const store of database.rawObjectStores.values()) hookStore(store, this.#journalOf);
  }

  /** From here on new transactions are refused, running ones may finish. */
  refuseNew(): void {
    this.#closing = true;
  }

  hookFactory(factory: IDBFactory): void {
    const open = factory.open.bind(factory);
    const deleteDatabase = factory.deleteDatabase.bind(factory);
    factory.open = (name, version) => {
      this.#assertOpen();
      const request = version === undefined ? open(name) : open(name, version);
      request.addEventListener('upgradeneeded', () => this.#hookUpgrade(request));
      request.addEventListener('success', () => this.#hookConnection(request.result));
      return request;
    };
    factory.deleteDatabase = (name) => {
      this.#assertOpen();
      const request = deleteDatabase(name);
      this.#hookDelete(request, String(name));
      return request;
    };
  }

  #assertOpen(): void {
    if (this.#closing) throw new DOMException('the store is closed', 'InvalidStateError');
    this.#state.assertOpen();
  }

  #hookUpgrade(request: IDBOpenDBRequest): void {
    const { result: connection, transaction } = request;
    this.#hookConnection(connection);
    if (transaction !== null) this.#hookTransaction(transaction, rawDatabaseOf(connection));
    const create = connection.createObjectStore.bind(connection);
    connection.createObjectStore = (name, options) => {
      const store = create(name, options);
      hookStore(rawStoreOf(store), this.#journalOf);
      return store;
    };
  }

  #hookConnection(connection: IDBDatabase): void {
    if (this.#hooked.has(connection)) return;
    this.#hooked.add(connection);
    const begin = connection.transaction.bind(connection);
    connection.transaction = (names, mode, options) => {
      this.#assertOpen();
      const transaction = begin(names, mode, options);
      if (mode === 'readwrite') this.#hookTransaction(transaction, null);
      return transaction;
    };
  }

  #hookTransaction(transaction: IDBTransaction, upgraded: RawDatabase | null): void {
    const raw = rawTransactionOf(transaction);
    const journal = new TransactionJournal(raw._rollbackLog);
    this.#journals.set(raw._rollbackLog, journal);
    this.#state.begin(journal);
    const dispatch = raw.dispatchEvent.bind(raw);
    raw.dispatchEvent = (event) => {
      if (event.type !== 'complete' && event.type !== 'abort') return dispatch(event);
      if (event.type === 'complete' && !this.#state.commit(journal, upgraded)) {
        // Takes memory back to what is on disk and fires `abort` instead; `complete` is never seen.
        raw._abort('UnknownError');
        // fake-indexeddb forgets this connection only in an abort before the end; left over it blocks deleteDatabase.
        if (upgraded !== null) transaction.db.close();
        return true;
      }
      this.#state.end(journal);
      return dispatch(event);
    };
  }

  #hookDelete(request: IDBOpenDBRequest, name: string): void {
    const dispatch = request.dispatchEvent.bind(request);
    request.dispatchEvent = (event) => {
      if (event.type !== 'success' || this.#state.dropDatabase(name)) return dispatch(event);
      const error = new DOMException('the database could not be deleted on disk', 'UnknownError');
      Object.defineProperty(request, 'error', { value: error, configurable: true });
      // The event class of fake-indexeddb, which it does not export.
      const EventType = event.constructor as new (type: string) => Event;
      return dispatch(new EventType('error'));
    };
  }
}
