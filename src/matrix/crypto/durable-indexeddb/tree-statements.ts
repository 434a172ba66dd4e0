import type Database from 'better-sqlite3';

/** What is done with the rows of one tree; the first parameter is always its number. */
export interface TreeStatements {
  readonly get: Database.Statement;
  readonly count: Database.Statement;
  /** From a key, to before a key, at most so many. */
  readonly up: Database.Statement;
  readonly down: Database.Statement;
  readonly put: Database.Statement;
  readonly remove: Database.Statement;
  readonly clear: Database.Statement;
}

interface TreeTable {
  readonly table: string;
  /** The column that says which tree a row is of. */
  readonly owner: string;
  /** Null when the rows of this table are keys alone. */
  readonly value: string | null;
}

export function treeStatements(
  prepare: (sql: string) => Database.Statement,
  { table, owner, value }: TreeTable,
): TreeStatements {
  const what = value ?? "x''";
  const range = `SELECT key, ${what} AS value FROM ${table} WHERE ${owner} = ? AND key >= ? AND key < ?`;
  return {
    get: prepare(`SELECT ${what} FROM ${table} WHERE ${owner} = ? AND key = ?`).pluck(),
    count: prepare(`SELECT count(*) FROM ${table} WHERE ${owner} = ?`).pluck(),
    up: prepare(`${range} ORDER BY key LIMIT ?`),
    down: prepare(`${range} ORDER BY key DESC LIMIT ?`),
    put: prepare(
      value === null
        ? `INSERT OR IGNORE INTO ${table} (${owner}, key) VALUES (?, ?)`
        : `INSERT INTO ${table} (${owner}, key, ${value}) VALUES (?, ?, ?)
           ON CONFLICT (${owner}, key) DO UPDATE SET ${value} = excluded.${value}`,
    ),
    remove: prepare(`DELETE FROM ${table} WHERE ${owner} = ? AND key = ?`),
    clear: prepare(`DELETE FROM ${table} WHERE ${owner} = ?`),
  };
}
