import type { MeshPacket, RoomEvent } from '../relay/ports.ts';
import type { InboxItem, InboxRow, InboxStore } from '../relay/store-port.ts';
import { errorText, RelayError } from '../util/relay-error.ts';
import type { Database } from './database.ts';
import { decodeItem, encodeItem, eventKey, ownPacketKey, packetKey } from './packet-json.ts';

interface PendingColumns {
  readonly row_id: number;
  readonly received_at_ms: number;
  readonly payload: string;
}

/**
 * What came in: one per store. A row is a key (for ever unique, until pruned) and a payload (until processed).
 * Invariant: a row with payload is never pruned, unless it was set aside.
 */
export class SqliteInbox implements InboxStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  addPacket(radio: string, packet: MeshPacket, receivedAtMs: number, home?: string): number | null {
    const key = packetKey(packet, receivedAtMs);
    if (home === undefined) return this.#add(key, { kind: 'mesh', radio, packet }, receivedAtMs);
    return this.#db.transaction(() => {
      // The bare key is what we sent ourselves, or heard when there was one radio.
      if (this.#has(key)) return null;
      const again = this.#has(`heard:${key}`);
      if (!again) this.#mark(`heard:${key}`, receivedAtMs);
      return this.#add(`${key}@${home}`, { kind: 'mesh', radio, packet, ...(again ? { again } : {}) }, receivedAtMs);
    });
  }

  addEvent(event: RoomEvent, receivedAtMs: number): number | null {
    // The Python relay had the home in between, and has sent it: its map says so (with interactions on).
    if (this.#db.get('SELECT 1 FROM message_map WHERE matrix_event_id = ?', event.eventId) !== undefined) return null;
    return this.#add(eventKey(event.eventId), { kind: 'room', event }, receivedAtMs);
  }

  hasEvent(eventId: string): boolean {
    return this.#has(eventKey(eventId));
  }

  noteOwnPacket(from: number, packetId: number, atMs: number): void {
    this.#mark(ownPacketKey(from, packetId), atMs);
  }

  pending(limit: number): readonly InboxRow[] {
    const sql = `SELECT row_id, received_at_ms, payload FROM inbox WHERE payload IS NOT NULL AND parked IS NULL
      ORDER BY row_id LIMIT ?`;
    return this.#db.all<PendingColumns>(sql, limit).map((row) => ({
      rowId: row.row_id,
      receivedAtMs: row.received_at_ms,
      item: this.#decode(row),
    }));
  }

  markDone(rowId: number): void {
    this.#db.run('UPDATE inbox SET payload = NULL WHERE row_id = ? AND payload IS NOT NULL', rowId);
  }

  park(rowId: number, error: string): void {
    this.#db.run('UPDATE inbox SET parked = ? WHERE row_id = ?', error, rowId);
  }

  prune(beforeMs: number, keepNewest = 0): number {
    const parked = 'DELETE FROM inbox WHERE payload IS NOT NULL AND parked IS NOT NULL AND received_at_ms < ?';
    const done = `DELETE FROM inbox WHERE payload IS NULL AND received_at_ms < ?
      AND row_id <= (SELECT MAX(row_id) FROM inbox) - ?`;
    return this.#db.run(parked, beforeMs).changes + this.#db.run(done, beforeMs, keepNewest).changes;
  }

  #has(key: string): boolean {
    return this.#db.get('SELECT 1 FROM inbox WHERE dedup_key = ?', key) !== undefined;
  }

  #mark(key: string, atMs: number): void {
    const sql = 'INSERT INTO inbox (dedup_key, received_at_ms) VALUES (?, ?) ON CONFLICT DO NOTHING';
    this.#db.run(sql, key, Math.trunc(atMs));
  }

  #add(key: string, item: InboxItem, receivedAtMs: number): number | null {
    const sql = 'INSERT INTO inbox (dedup_key, received_at_ms, payload) VALUES (?, ?, ?) ON CONFLICT DO NOTHING';
    const { changes, rowId } = this.#db.run(sql, key, Math.trunc(receivedAtMs), encodeItem(item));
    return changes === 0 ? null : rowId;
  }

  #decode(row: PendingColumns): InboxItem {
    try {
      return decodeItem(row.payload);
    } catch (error) {
      const where = `inbox row ${row.row_id} of ${this.#db.path}`;
      throw new RelayError('STORE_CORRUPT', `Cannot read ${where} (${errorText(error)}). Run \`mmrelay db check\`.`);
    }
  }
}
