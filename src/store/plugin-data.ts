import type { PluginDataStore } from '../relay/store-port.ts';
import type { JsonValue } from '../util/json.ts';
import { RelayError } from '../util/relay-error.ts';
import type { Database } from './database.ts';

interface DataColumns {
  readonly meshtastic_id: string;
  readonly data: string | null;
}

/** Values of plugins in plugin_data, the table of mmrelay 1.x with its JSON layout: one per store. */
export class SqlitePluginData implements PluginDataStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  get(plugin: string, key: string): JsonValue | null {
    const sql = 'SELECT meshtastic_id, data FROM plugin_data WHERE plugin_name = ? AND meshtastic_id = ?';
    const row = this.#db.get<DataColumns>(sql, plugin, key);
    return row === undefined ? null : parse(row.data);
  }

  set(plugin: string, key: string, value: JsonValue, quotaBytes?: number): void {
    this.#db.transaction(() => {
      const sql = `INSERT INTO plugin_data (plugin_name, meshtastic_id, data) VALUES (?, ?, ?)
        ON CONFLICT (plugin_name, meshtastic_id) DO UPDATE SET data = excluded.data`;
      this.#db.run(sql, plugin, key, JSON.stringify(value));
      if (quotaBytes !== undefined) this.#holdQuota(plugin, quotaBytes);
    });
  }

  append(
    plugin: string,
    key: string,
    item: JsonValue,
    limits: { readonly keepNewest: number; readonly quotaBytes?: number },
  ): void {
    this.#db.transaction(() => {
      const known = this.get(plugin, key);
      const list: readonly JsonValue[] = Array.isArray(known) ? known : [];
      const trimmed = [...list, item].slice(-Math.max(1, limits.keepNewest));
      this.set(plugin, key, trimmed, limits.quotaBytes);
    });
  }

  delete(plugin: string, key: string): void {
    this.#db.run('DELETE FROM plugin_data WHERE plugin_name = ? AND meshtastic_id = ?', plugin, key);
  }

  all(plugin: string): ReadonlyMap<string, JsonValue> {
    const sql = 'SELECT meshtastic_id, data FROM plugin_data WHERE plugin_name = ? ORDER BY meshtastic_id';
    const rows = this.#db.all<DataColumns>(sql, plugin);
    return new Map(rows.map((row) => [row.meshtastic_id, parse(row.data)]));
  }

  usedBytes(plugin: string): number {
    const sql = `SELECT COALESCE(SUM(octet_length(meshtastic_id) + octet_length(data)), 0) AS bytes
      FROM plugin_data WHERE plugin_name = ?`;
    return this.#db.get<{ readonly bytes: number }>(sql, plugin)?.bytes ?? 0;
  }

  /** Checked after the write and undone with it, so that what counts is what would be stored. */
  #holdQuota(plugin: string, quotaBytes: number): void {
    const used = this.usedBytes(plugin);
    if (used <= quotaBytes) return;
    throw new RelayError('PLUGIN_QUOTA', `Plugin ${plugin} would store ${used} bytes; it may store ${quotaBytes}.`);
  }
}

/** An old relay, or a hand, may have left something that is no JSON: as the old relay did, take it for nothing. */
function parse(data: string | null): JsonValue | null {
  if (data === null) return null;
  try {
    return JSON.parse(data) as JsonValue;
  } catch {
    // Not JSON; see above.
    return null;
  }
}
