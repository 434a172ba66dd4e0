import type { NameStore, NodeName } from '../relay/store-port.ts';
import { nodeId, parseNodeId } from '../util/node-id.ts';
import type { Database } from './database.ts';

interface NameColumns {
  readonly num: number;
  readonly long_name: string | null;
  readonly short_name: string | null;
  readonly last_seen_ms: number;
}

interface OldName {
  readonly id: string | null;
  readonly name: string | null;
}

const UPSERT = `INSERT INTO node_names (num, long_name, short_name, last_seen_ms) VALUES (?, ?, ?, ?)
  ON CONFLICT (num) DO UPDATE SET long_name = COALESCE(excluded.long_name, long_name),
    short_name = COALESCE(excluded.short_name, short_name), last_seen_ms = MAX(excluded.last_seen_ms, last_seen_ms)
  RETURNING num, long_name, short_name, last_seen_ms`;

/** All names, and how many nodes bear each long one. */
interface Known {
  readonly nodes: Map<number, NodeName>;
  readonly bearers: Map<string, number>;
}

/**
 * Names of nodes: one per store. Holds all of them in memory, since every message looks names up. Names are written to
 * longnames and shortnames too, the tables of mmrelay 1.x.
 * Invariant after `adopt`: what those tables say and what node_names says is the same.
 */
export class SqliteNames implements NameStore {
  readonly #db: Database;
  #known: Known | null = null;
  /** db.rollbacks when #known was read. */
  #knownAt = 0;

  constructor(db: Database) {
    this.#db = db;
  }

  get(num: number): NodeName | null {
    return this.#load().nodes.get(num) ?? null;
  }

  put(num: number, name: NodeName): void {
    this.#db.transaction(() => {
      this.#upsert(num, name);
      const id = nodeId(num);
      if (name.longName !== null) this.#db.run(upsertOld('longnames', 'longname'), id, name.longName);
      if (name.shortName !== null) this.#db.run(upsertOld('shortnames', 'shortname'), id, name.shortName);
    });
  }

  isShared(longName: string): boolean {
    return (this.#load().bearers.get(longName) ?? 0) > 1;
  }

  prune(keepNewest: number): number {
    const { nodes } = this.#load();
    if (nodes.size <= keepNewest) return 0;
    const byAge = [...nodes].sort(([, a], [, b]) => a.lastSeenMs - b.lastSeenMs);
    const old = byAge.slice(0, nodes.size - keepNewest).map(([num]) => num);
    this.#db.transaction(() => {
      for (const num of old) {
        this.#db.run('DELETE FROM node_names WHERE num = ?', num);
        this.#db.run('DELETE FROM longnames WHERE meshtastic_id = ?', nodeId(num));
        this.#db.run('DELETE FROM shortnames WHERE meshtastic_id = ?', nodeId(num));
      }
    });
    this.#known = null;
    return old.length;
  }

  /**
   * Takes over what an old relay wrote while it had the database: we write both sides in one transaction, so a
   * difference is its doing, and newer than ours.
   */
  adopt(): void {
    this.#db.transaction(() => {
      const known = this.#load().nodes;
      for (const row of this.#db.all<OldName>('SELECT meshtastic_id AS id, longname AS name FROM longnames')) {
        const num = oldNodeNum(row);
        if (num !== null && known.get(num)?.longName !== row.name)
          this.#upsert(num, { longName: row.name, shortName: null, lastSeenMs: 0 });
      }
      for (const row of this.#db.all<OldName>('SELECT meshtastic_id AS id, shortname AS name FROM shortnames')) {
        const num = oldNodeNum(row);
        if (num !== null && known.get(num)?.shortName !== row.name)
          this.#upsert(num, { longName: null, shortName: row.name, lastSeenMs: 0 });
      }
    });
  }

  #upsert(num: number, name: NodeName): void {
    const known = this.#load();
    const row = this.#db.get<NameColumns>(UPSERT, num, name.longName, name.shortName, Math.trunc(name.lastSeenMs));
    if (row !== undefined) learn(known, num, toName(row));
  }

  #load(): Known {
    if (this.#known === null || this.#knownAt !== this.#db.rollbacks) {
      this.#knownAt = this.#db.rollbacks;
      const rows = this.#db.all<NameColumns>('SELECT num, long_name, short_name, last_seen_ms FROM node_names');
      this.#known = { nodes: new Map(), bearers: new Map() };
      for (const row of rows) learn(this.#known, row.num, toName(row));
    }
    return this.#known;
  }
}

function learn({ nodes, bearers }: Known, num: number, name: NodeName): void {
  const before = nodes.get(num)?.longName ?? null;
  if (before !== null) bearers.set(before, (bearers.get(before) ?? 1) - 1);
  if (before !== null && bearers.get(before) === 0) bearers.delete(before);
  if (name.longName !== null) bearers.set(name.longName, (bearers.get(name.longName) ?? 0) + 1);
  nodes.set(num, name);
}

function upsertOld(table: 'longnames' | 'shortnames', column: 'longname' | 'shortname'): string {
  return `INSERT INTO ${table} (meshtastic_id, ${column}) VALUES (?, ?)
    ON CONFLICT (meshtastic_id) DO UPDATE SET ${column} = excluded.${column} WHERE ${column} IS NOT excluded.${column}`;
}

/** Ids are `!hex`; the oldest relays also wrote plain numbers. Null for anything else, and for a row without name. */
function oldNodeNum(row: OldName): number | null {
  if (row.id === null || row.name === null) return null;
  const num = /^\d{1,10}$/.test(row.id) ? Number(row.id) : parseNodeId(row.id);
  return num !== null && num <= 0xffffffff ? num : null;
}

function toName(row: NameColumns): NodeName {
  return { longName: row.long_name, shortName: row.short_name, lastSeenMs: row.last_seen_ms };
}
