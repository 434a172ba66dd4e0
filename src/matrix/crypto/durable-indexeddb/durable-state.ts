import { errorText, RelayError } from '../../../util/relay-error.ts';
import type { RawDatabase, RawStore } from './fake-internals.ts';
import { definitionOf } from './schema.ts';
import type { SavedDatabase, StoreFile } from './store-file.ts';
import type { TransactionJournal } from './transaction-journal.ts';

type Phase =
  | { readonly kind: 'open' }
  | { readonly kind: 'failed'; readonly error: RelayError }
  | { readonly kind: 'closed' };

/**
 * Joins what is in memory with its file. One per open store; holds which raw database and store has which number on
 * disk, and whether writing is still allowed. Invariant: after the first failed write nothing is written any more.
 */
export class DurableState {
  readonly #file: StoreFile;
  readonly #onFailure: (error: RelayError) => void;
  readonly #databaseIds = new WeakMap<RawDatabase, number>();
  readonly #storeIds = new WeakMap<RawStore, number>();
  readonly #running = new Set<TransactionJournal>();
  #phase: Phase = { kind: 'open' };
  #idle: (() => void) | null = null;
  #closed: Promise<void> | null = null;

  constructor(file: StoreFile, onFailure: (error: RelayError) => void) {
    this.#file = file;
    this.#onFailure = onFailure;
  }

  remember(database: RawDatabase, saved: SavedDatabase): void {
    this.#databaseIds.set(database, saved.id);
    for (const { id, definition } of saved.stores) {
      const store = database.rawObjectStores.get(definition.name);
      if (store !== undefined) this.#storeIds.set(store, id);
    }
  }

  /** @throws DOMException when the store is closed or has failed: what a caller of IndexedDB can handle. */
  assertOpen(): void {
    if (this.#phase.kind === 'closed') throw new DOMException('the store is closed', 'InvalidStateError');
    if (this.#phase.kind === 'failed') {
      throw new DOMException(`the store has failed: ${errorText(this.#phase.error)}`, 'UnknownError');
    }
  }

  begin(journal: TransactionJournal): void {
    this.#running.add(journal);
  }

  end(journal: TransactionJournal): void {
    this.#running.delete(journal);
    if (this.#running.size === 0) this.#idle?.();
  }

  /** Puts a finished transaction on disk; `upgraded` is the database when it was a version change. False: not saved. */
  commit(journal: TransactionJournal, upgraded: RawDatabase | null): boolean {
    return this.#write(() => {
      const schema = upgraded === null ? null : this.#schemaOf(upgraded);
      const changes = journal.changes((store) => this.#idOf(store, schema));
      if (schema !== null || changes.length > 0) this.#file.commit({ schema, changes });
    });
  }

  dropDatabase(name: string): boolean {
    return this.#write(() => this.#file.dropDatabase(name));
  }

  #write(write: () => void): boolean {
    if (this.#phase.kind !== 'open') return false;
    try {
      write();
      return true;
    } catch (error) {
      const failure = new RelayError('CRYPTO_STORE_WRITE_FAILED', `cannot save: ${errorText(error)}`, { cause: error });
      this.#phase = { kind: 'failed', error: failure };
      this.#onFailure(failure);
      return false;
    }
  }

  #idOf(store: RawStore, schema: SavedDatabase | null): number | null {
    const id = this.#storeIds.get(store) ?? null;
    return schema === null || schema.stores.some((kept) => kept.id === id) ? id : null;
  }

  #schemaOf(database: RawDatabase): SavedDatabase {
    const id = this.#databaseIds.get(database) ?? this.#file.nextDatabaseId();
    this.#databaseIds.set(database, id);
    const stores = [...database.rawObjectStores.values()].map((store) => {
      const storeId = this.#storeIds.get(store) ?? this.#file.nextStoreId();
      this.#storeIds.set(store, storeId);
      return { id: storeId, definition: definitionOf(store), keyGenerator: store.keyGenerator?.num ?? null };
    });
    return { id, name: database.name, version: database.version, stores };
  }

  /** Lets the transactions that run finish, then closes the file and frees its lock. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#closeWhenIdle();
    return this.#closed;
  }

  async #closeWhenIdle(): Promise<void> {
    if (this.#running.size > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    this.#phase = { kind: 'closed' };
    this.#file.close();
  }
}
