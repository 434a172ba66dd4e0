import type { ValueStore } from '../relay/store-port.ts';
import type { Database } from './database.ts';

/** Small durable facts by key: one per store. */
export class SqliteValues implements ValueStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  get(key: string): string | null {
    const row = this.#db.get<{ readonly value: string }>('SELECT value FROM relay_values WHERE key = ?', key);
    return row?.value ?? null;
  }

  set(key: string, value: string): void {
    const sql = 'INSERT INTO relay_values (key, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value';
    this.#db.run(sql, key, value);
  }

  delete(key: string): void {
    this.#db.run('DELETE FROM relay_values WHERE key = ?', key);
  }

  keys(prefix: string): readonly string[] {
    const sql = 'SELECT key FROM relay_values WHERE key >= ? AND key < ? ORDER BY key';
    return this.#db.all<{ readonly key: string }>(sql, prefix, `${prefix}\u{10ffff}`).map(({ key }) => key);
  }

  pruneTimes(prefix: string, beforeMs: number): number {
    const sql = 'DELETE FROM relay_values WHERE key >= ? AND key < ? AND CAST(value AS INTEGER) < ?';
    return this.#db.run(sql, prefix, `${prefix}\u{10ffff}`, beforeMs).changes;
  }
}
