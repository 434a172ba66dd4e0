import type Database from 'better-sqlite3';
import { errorText, type RelayError } from '../../../util/relay-error.ts';
import { corrupt, LAYOUT_VERSION, openFile, storeError } from './create-file.ts';
import type { Span } from './key-span.ts';
import type {
  Commit,
  SavedDatabase,
  SavedRecord,
  SavedStore,
  StoreDefinition,
  TreeChange,
  TreeId,
} from './saved-data.ts';
import { type TreeStatements, treeStatements } from './tree-statements.ts';

const STATEMENTS = {
  begin: 'BEGIN IMMEDIATE',
  commit: 'COMMIT',
  rollback: 'ROLLBACK',
  keyGenerator: 'UPDATE stores SET key_generator = ? WHERE id = ?',
  putDatabase:
    'INSERT INTO databases (id, name, version) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET version = excluded.version',
  dropDatabase: 'DELETE FROM databases WHERE name = ?',
  putStore: `INSERT INTO stores (id, database_id, definition, key_generator) VALUES (?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET definition = excluded.definition, key_generator = excluded.key_generator`,
  storeIds: 'SELECT id FROM stores WHERE database_id = ?',
  dropStore: 'DELETE FROM stores WHERE id = ?',
  sweepEntries: `DELETE FROM entries WHERE index_id NOT IN
    (SELECT one.value ->> 'id' FROM stores, json_each(stores.definition, '$.indexes') AS one)`,
  databases: 'SELECT id, name, version FROM databases ORDER BY id',
  stores: 'SELECT id, definition, key_generator AS keyGenerator FROM stores WHERE database_id = ? ORDER BY id',
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
  readonly #trees: Readonly<Record<TreeId['kind'], TreeStatements>>;
  /** A file of layout 1 has no index entries: they are to be made of the records first of all. */
  readonly needsEntries: boolean;

  constructor(path: string) {
    this.#path = path;
    const { db, needsEntries } = openFile(path);
    this.#db = db;
    this.needsEntries = needsEntries;
    try {
      const prepare = (sql: string): Database.Statement => this.#db.prepare(sql);
      this.#run = Object.fromEntries(
        Object.entries(STATEMENTS).map(([name, sql]) => [name, prepare(sql)]),
      ) as unknown as Statements;
      this.#trees = {
        records: treeStatements(prepare, { table: 'records', owner: 'store_id', value: 'value' }),
        entries: treeStatements(prepare, { table: 'entries', owner: 'index_id', value: null }),
      };
    } catch (error) {
      this.#db.close();
      throw storeError(path, error);
    }
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

  /** Bytes that SQLite returned but that do not parse. */
  damaged(error: unknown): RelayError {
    return corrupt(this.#path, errorText(error));
  }

  get({ kind, id }: TreeId, key: Buffer): Buffer | undefined {
    return this.#reading(() => this.#trees[kind].get.get(id, key) as Buffer | undefined);
  }

  count({ kind, id }: TreeId): number {
    return this.#reading(() => this.#trees[kind].count.get(id) as number);
  }

  page({ kind, id }: TreeId, span: Span, limit: number): readonly SavedRecord[] {
    const statement = span.descending ? this.#trees[kind].down : this.#trees[kind].up;
    return this.#reading(() => statement.all(id, span.from, span.to, limit) as SavedRecord[]);
  }

  #reading<Result>(read: () => Result): Result {
    try {
      return read();
    } catch (error) {
      if (error instanceof SyntaxError) throw this.damaged(error);
      throw storeError(this.#path, error);
    }
  }

  commit(commit: Commit): void {
    this.#writing(() => this.#write(commit));
  }

  /** Brings a file of layout 1 to this one, in one step. */
  addEntries(commits: readonly Commit[]): void {
    this.#writing(() => {
      for (const commit of commits) this.#write(commit);
      this.#db.pragma(`user_version = ${LAYOUT_VERSION}`);
    });
  }

  #write({ schema, keyGenerators, changes }: Commit): void {
    if (schema !== null) this.#writeSchema(schema);
    for (const { storeId, lastKey } of keyGenerators) this.#run.keyGenerator.run(lastKey, storeId);
    for (const { tree, ...change } of changes) this.#writeTree(tree, change);
  }

  dropDatabase(name: string): void {
    this.#writing(() => {
      this.#run.dropDatabase.run(JSON.stringify(name));
      this.#run.sweepEntries.run();
    });
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
    this.#run.sweepEntries.run();
  }

  #writeTree({ kind, id }: TreeId, { cleared, deletes, puts }: TreeChange): void {
    const tree = this.#trees[kind];
    if (cleared) tree.clear.run(id);
    for (const key of deletes) tree.remove.run(id, key);
    for (const { key, value } of puts) {
      if (kind === 'entries') tree.put.run(id, key);
      else tree.put.run(id, key, value);
    }
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
