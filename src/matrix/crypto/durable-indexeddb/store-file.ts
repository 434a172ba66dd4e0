import type Database from 'better-sqlite3';
import { corrupt, openFile, storeError } from './create-file.ts';
import type { StoreDefinition } from './schema.ts';

export interface SavedStore {
  readonly id: number;
  readonly definition: StoreDefinition;
  /** Last key the generator gave out; null without generator. */
  readonly keyGenerator: number | null;
}

export interface SavedDatabase {
  readonly id: number;
  readonly name: string;
  readonly version: number;
  readonly stores: readonly SavedStore[];
}

export interface SavedRecord {
  readonly key: Buffer;
  readonly value: Buffer;
}

/** What a transaction did to the records of one object store; `cleared` comes first. */
export interface StoreChange {
  readonly storeId: number;
  readonly cleared: boolean;
  readonly puts: readonly SavedRecord[];
  readonly deletes: readonly Buffer[];
  readonly keyGenerator: number | null;
}

/** A committed transaction; with `schema` it is a version change, and stores not listed there are gone. */
export interface Commit {
  readonly schema: SavedDatabase | null;
  readonly changes: readonly StoreChange[];
}

const STATEMENTS = {
  begin: 'BEGIN IMMEDIATE',
  commit: 'COMMIT',
  rollback: 'ROLLBACK',
  put: 'INSERT INTO records (store_id, key, value) VALUES (?, ?, ?) ON CONFLICT (store_id, key) DO UPDATE SET value = excluded.value',
  remove: 'DELETE FROM records WHERE store_id = ? AND key = ?',
  clear: 'DELETE FROM records WHERE store_id = ?',
  keyGenerator: 'UPDATE stores SET key_generator = ? WHERE id = ?',
  putDatabase:
    'INSERT INTO databases (id, name, version) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET version = excluded.version',
  dropDatabase: 'DELETE FROM databases WHERE name = ?',
  putStore: `INSERT INTO stores (id, database_id, definition, key_generator) VALUES (?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET definition = excluded.definition, key_generator = excluded.key_generator`,
  storeIds: 'SELECT id FROM stores WHERE database_id = ?',
  dropStore: 'DELETE FROM stores WHERE id = ?',
  databases: 'SELECT id, name, version FROM databases ORDER BY id',
  stores: 'SELECT id, definition, key_generator AS keyGenerator FROM stores WHERE database_id = ? ORDER BY id',
  // In the order of the file, which reads fastest; the trees in memory sort.
  records: 'SELECT store_id AS storeId, key, value FROM records',
  lastIds: 'SELECT (SELECT max(id) FROM databases) AS databaseId, (SELECT max(id) FROM stores) AS storeId',
} as const;

type Statements = Readonly<Record<keyof typeof STATEMENTS, Database.Statement>>;

/**
 * The file behind the durable IndexedDB: one per open store, holds the SQLite connection and with it the lock.
 * Invariant: every method that writes is one SQLite transaction, on disk when it returns, or nothing.
 */
export class StoreFile {
  readonly #path: string;
  readonly #db: Database.Database;
  readonly #run: Statements;
  #lastDatabaseId: number;
  #lastStoreId: number;

  constructor(path: string) {
    this.#path = path;
    this.#db = openFile(path);
    try {
      this.#run = Object.fromEntries(
        Object.entries(STATEMENTS).map(([name, sql]) => [name, this.#db.prepare(sql)]),
      ) as unknown as Statements;
      const last = this.#run.lastIds.get() as { databaseId: number | null; storeId: number | null };
      this.#lastDatabaseId = last.databaseId ?? 0;
      this.#lastStoreId = last.storeId ?? 0;
    } catch (error) {
      this.#db.close();
      throw storeError(path, error);
    }
  }

  nextDatabaseId(): number {
    this.#lastDatabaseId += 1;
    return this.#lastDatabaseId;
  }

  nextStoreId(): number {
    this.#lastStoreId += 1;
    return this.#lastStoreId;
  }

  databases(): readonly SavedDatabase[] {
    return this.#reading(() => {
      const rows = this.#run.databases.all() as { id: number; name: string; version: number }[];
      return rows.map((row) => ({ ...row, name: JSON.parse(row.name) as string, stores: this.#stores(row.id) }));
    });
  }

  #stores(databaseId: number): SavedStore[] {
    const rows = this.#run.stores.all(databaseId) as { id: number; definition: string; keyGenerator: number | null }[];
    return rows.map((row) => ({ ...row, definition: JSON.parse(row.definition) as StoreDefinition }));
  }

  /** Calls `take` for each record, in no order that means anything. */
  eachRecord(take: (record: SavedRecord & { readonly storeId: number }) => void): void {
    this.#reading(() => {
      const rows = this.#run.records.iterate() as IterableIterator<SavedRecord & { readonly storeId: number }>;
      for (const record of rows) take(record);
    });
  }

  #reading<Result>(read: () => Result): Result {
    try {
      return read();
    } catch (error) {
      // Bytes that SQLite returned but that do not parse.
      if (error instanceof RangeError || error instanceof SyntaxError) throw corrupt(this.#path, error.message);
      throw storeError(this.#path, error);
    }
  }

  commit(commit: Commit): void {
    this.#writing(() => {
      if (commit.schema !== null) this.#writeSchema(commit.schema);
      for (const change of commit.changes) this.#writeChange(change);
    });
  }

  dropDatabase(name: string): void {
    this.#writing(() => this.#run.dropDatabase.run(JSON.stringify(name)));
  }

  #writeSchema(schema: SavedDatabase): void {
    this.#run.putDatabase.run(schema.id, JSON.stringify(schema.name), schema.version);
    const kept = new Set(schema.stores.map((store) => store.id));
    for (const { id } of this.#run.storeIds.all(schema.id) as { id: number }[]) {
      if (!kept.has(id)) this.#run.dropStore.run(id);
    }
    for (const store of schema.stores) {
      this.#run.putStore.run(store.id, schema.id, JSON.stringify(store.definition), store.keyGenerator);
    }
  }

  #writeChange(change: StoreChange): void {
    if (change.cleared) this.#run.clear.run(change.storeId);
    for (const key of change.deletes) this.#run.remove.run(change.storeId, key);
    for (const { key, value } of change.puts) this.#run.put.run(change.storeId, key, value);
    if (change.keyGenerator !== null) this.#run.keyGenerator.run(change.keyGenerator, change.storeId);
  }

  #writing(write: () => void): void {
    try {
      this.#run.begin.run();
      write();
      this.#run.commit.run();
    } catch (error) {
      if (this.#db.inTransaction) this.#run.rollback.run();
      throw storeError(this.#path, error);
    }
  }

  close(): void {
    this.#db.close();
  }
}
