import type { DurableSchema } from './durable-schema.ts';
import type { DurableState } from './durable-state.ts';
import { type RawDatabase, type RawStore, rawDatabaseOf, rawTransactionOf } from './fake-internals.ts';

/**
 * Makes one fake-indexeddb factory durable by hooks on its objects (never on shared prototypes). One per open store.
 * Invariant: our step of an event comes before any listener of the caller, so nobody sees `complete` or `success` of
 * something that is not on disk.
 */
export class DurableFactory {
  readonly #state: DurableState;
  readonly #schema: DurableSchema;
  readonly #hooked = new WeakSet<IDBDatabase>();
  #closing = false;

  constructor(state: DurableState, schema: DurableSchema) {
    this.#state = state;
    this.#schema = schema;
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

  #hookUpgrade({ result: connection, transaction }: IDBOpenDBRequest): void {
    this.#schema.watch(rawDatabaseOf(connection));
    this.#hookConnection(connection);
    if (transaction !== null) this.#hookTransaction(transaction);
  }

  #hookConnection(connection: IDBDatabase): void {
    if (this.#hooked.has(connection)) return;
    this.#hooked.add(connection);
    const begin = connection.transaction.bind(connection);
    connection.transaction = (names, mode, options) => {
      this.#assertOpen();
      const transaction = begin(names, mode, options);
      this.#hookTransaction(transaction);
      return transaction;
    };
  }

  #hookTransaction(transaction: IDBTransaction): void {
    this.#state.begin(transaction);
    if (transaction.mode !== 'readonly') this.#hookAbort(transaction);
    const raw = rawTransactionOf(transaction);
    const dispatch = raw.dispatchEvent.bind(raw);
    raw.dispatchEvent = (event) => {
      if (event.type === 'complete' && !this.#save(transaction)) {
        // Forgets the changes and fires `abort` instead; `complete` is never seen.
        raw._abort('UnknownError');
        // fake-indexeddb forgets this connection only in an abort before the end; left over it blocks deleteDatabase.
        if (transaction.mode === 'versionchange') transaction.db.close();
        return true;
      }
      if (event.type === 'complete' || event.type === 'abort') this.#state.end(transaction);
      return dispatch(event);
    };
  }

  #save(transaction: IDBTransaction): boolean {
    if (transaction.mode === 'readonly') return true;
    const stores = storesOf(transaction);
    const commit = this.#schema.commitOf(stores, transaction.mode === 'versionchange' ? databaseOf(transaction) : null);
    if (commit !== null && !this.#state.commit(commit)) return false;
    this.#schema.settle(stores);
    return true;
  }

  /** An abort may come again while the first one is told, and before the transaction has its turn. */
  #hookAbort(transaction: IDBTransaction): void {
    const raw = rawTransactionOf(transaction);
    const abort = raw._abort.bind(raw);
    let isOver = false;
    raw._abort = (errorName) => {
      this.#state.undo(() => abort(errorName));
      raw._rollbackLog.length = 0;
      if (!isOver && raw._started) this.#schema.discard(storesOf(transaction));
      isOver = true;
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

function databaseOf(transaction: IDBTransaction): RawDatabase {
  return rawDatabaseOf(transaction.db);
}

/** The object stores that the transaction may change, as they are now. */
function storesOf(transaction: IDBTransaction): readonly RawStore[] {
  const { rawObjectStores } = databaseOf(transaction);
  if (transaction.mode === 'versionchange') return [...rawObjectStores.values()];
  return [...transaction.objectStoreNames].flatMap((name) => rawObjectStores.get(name) ?? []);
}
