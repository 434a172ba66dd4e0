import type SqliteModule from 'better-sqlite3';
import type { RelayError } from '../util/relay-error.ts';
import { storeError } from './store-error.ts';

export type SqlValue = string | number | null | Uint8Array;

/** The sum type of a column read back; which one it is, the table says. */
type SqlRow = Readonly<Record<string, unknown>>;

/**
 * The connection: one per store. Holds the prepared statements (by their text) and how deep we are in transactions.
 * Invariants: every error leaves as RelayError; once SQLite has rolled a transaction back by itself (full disk), no
 * further statement of that transaction runs, since it would commit alone.
 */
export class Database {
  readonly path: string;
  readonly #sqlite: SqliteModule.Database;
  readonly #statements = new Map<string, SqliteModule.Statement<SqlValue[], SqlRow>>();
  #depth = 0;
  /** Why SQLite undid the running transaction. */
  #lost: RelayError | null = null;
  #rollbacks = 0;

  constructor(sqlite: SqliteModule.Database, path: string) {
    this.#sqlite = sqlite;
    this.path = path;
  }

  /** Grows with each (partly) undone transaction: what was read in one and kept may be wrong then. */
  get rollbacks(): number {
    return this.#rollbacks;
  }

  /** Runs a statement that returns no rows. */
  run(sql: string, ...values: readonly SqlValue[]): { readonly changes: number; readonly rowId: number } {
    return this.#guard(() => {
      const result = this.#prepare(sql).run(...values);
      return { changes: result.changes, rowId: Number(result.lastInsertRowid) };
    });
  }

  /** First row, or undefined. The caller names the row's shape. */
  get<Row>(sql: string, ...values: readonly SqlValue[]): Row | undefined {
    return this.#guard(() => this.#prepare(sql).get(...values) as Row | undefined);
  }

  all<Row>(sql: string, ...values: readonly SqlValue[]): readonly Row[] {
    return this.#guard(() => this.#prepare(sql).all(...values) as Row[]);
  }

  /** Several statements without parameters. Not cached. */
  script(sql: string): void {
    this.#guard(() => this.#sqlite.exec(sql));
  }

  /** Value of a PRAGMA, or what it answered when `text` sets one. */
  pragma(text: string): unknown {
    return this.#guard(() => this.#sqlite.pragma(text, { simple: true }));
  }

  /**
   * Runs `work` in one write transaction. A nested call joins it: its writes last only when the outermost call returns,
   * and when the nested work throws, its own writes are undone even if the caller catches.
   */
  transaction<T>(work: () => T): T {
    if (this.#depth > 0) return this.#nested(work);
    this.#guard(() => this.#prepare('BEGIN IMMEDIATE').run());
    this.#depth = 1;
    try {
      const result = refusePromise(work());
      this.#guard(() => this.#prepare('COMMIT').run());
      return result;
    } catch (error) {
      this.#undo();
      throw error;
    } finally {
      this.#depth = 0;
      this.#lost = null;
    }
  }

  /** Copies the database, as of one instant, into the file `target` while others go on writing. */
  async backup(target: string): Promise<void> {
    try {
      await this.#sqlite.backup(target);
    } catch (error) {
      throw storeError(error, target);
    }
  }

  close(): void {
    this.#statements.clear();
    this.#sqlite.close();
  }

  #nested<T>(work: () => T): T {
    const name = `level${this.#depth}`;
    this.#guard(() => this.#prepare(`SAVEPOINT ${name}`).run());
    this.#depth += 1;
    try {
      const result = refusePromise(work());
      this.#guard(() => this.#prepare(`RELEASE ${name}`).run());
      return result;
    } catch (error) {
      this.#rollbacks += 1;
      if (this.#sqlite.inTransaction) {
        this.#sqlite.exec(`ROLLBACK TO ${name}`);
        this.#sqlite.exec(`RELEASE ${name}`);
      }
      throw error;
    } finally {
      this.#depth -= 1;
    }
  }

  #undo(): void {
    this.#rollbacks += 1;
    try {
      if (this.#sqlite.inTransaction) this.#sqlite.exec('ROLLBACK');
    } catch (error) {
      throw storeError(error, this.path);
    }
  }

  #prepare(sql: string): SqliteModule.Statement<SqlValue[], SqlRow> {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const fresh = this.#sqlite.prepare<SqlValue[], SqlRow>(sql);
    this.#statements.set(sql, fresh);
    return fresh;
  }

  #guard<T>(work: () => T): T {
    if (this.#lost !== null) throw this.#lost;
    try {
      return work();
    } catch (error) {
      const failure = storeError(error, this.path);
      if (this.#depth > 0 && !this.#sqlite.inTransaction) this.#lost = failure;
      throw failure;
    }
  }
}

/** A promise would do its writes after the commit, outside of the transaction. */
function refusePromise<T>(result: T): T {
  if (result instanceof Promise) throw new TypeError('The work of a transaction must be synchronous.');
  return result;
}
