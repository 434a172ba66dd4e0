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
 * Invariant: a row with payload is never pruned.
 */
export class SqliteInbox implements InboxStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  addPacket(radio: string, packet: MeshPacket, receivedAtMs: number): number | null {
    return this.#add(packetKey(packet, receivedAtMs), { kind: 'mesh', radio, packet }, receivedAtMs);
  }

  addEvent(event: RoomEvent, receivedAtMs: number): number | null {
    return this.#add(eventKey(event.eventId), { kind: 'room', event }, receivedAtMs);
  }

  hasEvent(eventId: string): boolean {
    return this.#db.get('SELECT 1 FROM inbox WHERE dedup_key = ?', eventKey(eventId)) !== undefined;
  }

  noteOwnPacket(from: number, packetId: number, atMs: number): void {
    const sql = 'INSERT INTO inbox (dedup_key, received_at_ms) VALUES (?, ?) ON CONFLICT DO NOTHING';
    this.#db.run(sql, ownPacketKey(from, packetId), Math.trunc(atMs));
  }

  pending(limit: number): readonly InboxRow[] {
    const sql = 'SELECT row_id, received_at_ms, payload FROM inbox WHERE payload IS NOT NULL ORDER BY row_id LIMIT ?';
    return this.#db.all<PendingColumns>(sql, limit).map((row) => ({
      rowId: row.row_id,
      receivedAtMs: row.received_at_ms,
      item: this.#decode(row),
    }));
  }

  markDone(rowId: number): void {
    this.#db.run('UPDATE inbox SET payload = NULL WHERE row_id = ? AND payload IS NOT NULL', rowId);
  }

  prune(beforeMs: number): number {
    return this.#db.run('DELETE FROM inbox WHERE payload IS NULL AND received_at_ms < ?', beforeMs).changes;
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
