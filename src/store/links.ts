import type { LinkStore, MessageLink } from '../relay/store-port.ts';
import type { Database } from './database.ts';

interface LinkColumns {
  readonly radio: string;
  readonly sender: number;
  readonly packet_id: number;
  readonly room_id: string;
  readonly event_id: string;
  readonly direction: 'to-room' | 'to-mesh';
  readonly text: string | null;
  readonly meshnet: string | null;
  readonly author: string | null;
  readonly created_at_ms: number;
}

interface OldColumns {
  readonly meshtastic_id: string | null;
  readonly matrix_event_id: string;
  readonly matrix_room_id: string | null;
  readonly meshtastic_text: string | null;
  readonly meshtastic_meshnet: string | null;
}

const COLUMNS = 'radio, sender, packet_id, room_id, event_id, direction, text, meshnet, author, created_at_ms';
const OLD_COLUMNS = 'meshtastic_id, matrix_event_id, matrix_room_id, meshtastic_text, meshtastic_meshnet';
/** Rows that we mirrored into the old table must not be taken for rows of an old relay. */
const NOT_OURS = 'NOT EXISTS (SELECT 1 FROM message_links WHERE event_id = matrix_event_id)';
const BY_EVENT = `SELECT ${COLUMNS} FROM message_links WHERE event_id = ? ORDER BY link_id`;
const OLD_BY_EVENT = `SELECT ${OLD_COLUMNS} FROM message_map WHERE matrix_event_id = ?`;
/** A parameter that is null narrows nothing. */
const BY_PACKET = `SELECT ${COLUMNS} FROM message_links WHERE packet_id = ? AND radio = ?
  AND sender = COALESCE(?, sender) AND room_id = COALESCE(?, room_id)
  ORDER BY created_at_ms DESC, link_id DESC LIMIT 1`;
const OLD_BY_PACKET = `SELECT ${OLD_COLUMNS} FROM message_map WHERE meshtastic_id = ? AND ${NOT_OURS}
  AND matrix_room_id IS COALESCE(?, matrix_room_id) ORDER BY rowid DESC LIMIT 1`;
/** The old table is trimmed on every n-th link, not on each. */
const TRIM_EVERY = 50;

/**
 * Which packet is which event: one per store. Every link is also written to message_map, the table of mmrelay 1.x,
 * which is trimmed to the newest `keepOldRows`; rows that only an old relay wrote are found there.
 */
export class SqliteLinks implements LinkStore {
  readonly #db: Database;
  readonly #keepOldRows: number;
  #untilTrim = TRIM_EVERY;

  constructor(db: Database, keepOldRows: number) {
    this.#db = db;
    this.#keepOldRows = keepOldRows;
  }

  add(link: MessageLink): void {
    this.#db.transaction(() => {
      this.#db.run(
        `INSERT INTO message_links (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (event_id, radio, sender, packet_id) DO UPDATE SET room_id = excluded.room_id,
           direction = excluded.direction, text = excluded.text, meshnet = excluded.meshnet,
           author = excluded.author, created_at_ms = excluded.created_at_ms`,
        link.radio,
        link.sender,
        link.packetId,
        link.roomId,
        link.eventId,
        link.direction,
        link.text,
        link.meshnet,
        link.author,
        Math.trunc(link.createdAtMs),
      );
      // The old table holds one packet per event: the first part stands for a message in several.
      const mirror = `INSERT INTO message_map (${OLD_COLUMNS}) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`;
      this.#db.run(mirror, String(link.packetId), link.eventId, link.roomId, link.text ?? '', link.meshnet);
      this.#untilTrim -= 1;
      if (this.#untilTrim <= 0) this.#trimOld();
    });
  }

  byEvent(eventId: string): readonly MessageLink[] {
    const rows = this.#db.all<LinkColumns>(BY_EVENT, eventId);
    if (rows.length > 0) return rows.map(toLink);
    const old = this.#db.get<OldColumns>(OLD_BY_EVENT, eventId);
    return old === undefined ? [] : [fromOld(old, '')];
  }

  byPacket(key: Parameters<LinkStore['byPacket']>[0]): MessageLink | null {
    const room = key.roomId ?? null;
    const row = this.#db.get<LinkColumns>(BY_PACKET, key.packetId, key.radio, key.sender ?? null, room);
    if (row !== undefined) return toLink(row);
    const old = this.#db.get<OldColumns>(OLD_BY_PACKET, String(key.packetId), room);
    return old === undefined ? null : fromOld(old, key.radio);
  }

  renumber(packetId: number, next: { readonly packetId: number; readonly sender: number }): void {
    const links = `UPDATE message_links SET packet_id = ?, sender = ? WHERE packet_id = ? AND direction = 'to-mesh'`;
    const mirror = `UPDATE message_map SET meshtastic_id = ? WHERE meshtastic_id = ? AND matrix_event_id IN
      (SELECT event_id FROM message_links WHERE packet_id = ? AND direction = 'to-mesh')`;
    this.#db.transaction(() => {
      this.#db.run(links, next.packetId, next.sender, packetId);
      this.#db.run(mirror, String(next.packetId), String(packetId), next.packetId);
    });
  }

  prune(options: { readonly beforeMs: number; readonly keepAtLeast: number }): number {
    return this.#db.transaction(() => {
      const doomed = `FROM message_links WHERE created_at_ms < ? AND link_id NOT IN
        (SELECT link_id FROM message_links ORDER BY created_at_ms DESC, link_id DESC LIMIT ?)`;
      const values = [options.beforeMs, Math.max(options.keepAtLeast, 0)];
      this.#db.run(`DELETE FROM message_map WHERE matrix_event_id IN (SELECT event_id ${doomed})`, ...values);
      const { changes } = this.#db.run(`DELETE ${doomed}`, ...values);
      this.#trimOld();
      return changes;
    });
  }

  /** Forgets every link, those of an old relay included (`database.msg_map.wipe_on_restart`). */
  wipe(): void {
    this.#db.transaction(() => {
      this.#db.run('DELETE FROM message_links');
      this.#db.run('DELETE FROM message_map');
    });
  }

  #trimOld(): void {
    this.#untilTrim = TRIM_EVERY;
    if (this.#keepOldRows <= 0) return;
    const oldest = 'SELECT rowid FROM message_map ORDER BY rowid DESC LIMIT 1 OFFSET ?';
    this.#db.run(`DELETE FROM message_map WHERE rowid < (${oldest})`, this.#keepOldRows - 1);
  }
}

function toLink(row: LinkColumns): MessageLink {
  return {
    radio: row.radio,
    sender: row.sender,
    packetId: row.packet_id,
    roomId: row.room_id,
    eventId: row.event_id,
    direction: row.direction,
    text: row.text,
    meshnet: row.meshnet,
    author: row.author,
    createdAtMs: row.created_at_ms,
  };
}

/** An old relay kept neither radio nor sender, time, author or direction. */
function fromOld(row: OldColumns, radio: string): MessageLink {
  const packetId = Number(row.meshtastic_id ?? '0');
  return {
    radio,
    sender: 0,
    packetId: Number.isSafeInteger(packetId) ? packetId >>> 0 : 0,
    roomId: row.matrix_room_id ?? '',
    eventId: row.matrix_event_id,
    direction: 'to-room',
    text: row.meshtastic_text,
    meshnet: row.meshtastic_meshnet,
    author: null,
    createdAtMs: 0,
  };
}
