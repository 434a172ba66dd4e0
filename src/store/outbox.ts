import type {
  LaneDepth,
  NewOutboxRow,
  OutboxChange,
  OutboxRow,
  OutboxState,
  OutboxStore,
} from '../relay/store-port.ts';
import type { Clock } from '../util/clock.ts';
import type { JsonObject } from '../util/json.ts';
import type { Logger } from '../util/logger.ts';
import type { Database, SqlValue } from './database.ts';

interface OutboxColumns {
  readonly row_id: number;
  readonly lane: string;
  readonly priority: number;
  readonly created_at_ms: number;
  readonly expires_at_ms: number;
  readonly packet_id: number | null;
  readonly origin: string;
  readonly group_id: string | null;
  readonly payload: string;
  readonly state: OutboxState;
  readonly attempts: number;
  readonly next_attempt_at_ms: number;
  readonly sent_at_ms: number | null;
  readonly last_error: string | null;
  readonly waits: number;
}

interface Turn {
  readonly waits: number;
  readonly turn_priority: number;
  readonly turn_row_id: number;
}

/** Rows per lane handed out at once by `expired`: memory stays bounded after a week without a homeserver. */
const EXPIRED_AT_ONCE = 200;

const COLUMNS =
  'row_id, lane, priority, created_at_ms, expires_at_ms, packet_id, origin, group_id, payload, state, attempts, ' +
  'next_attempt_at_ms, sent_at_ms, last_error, waits';
/** The index outbox_queue has this order, so the first row is found without sorting. */
const LEAVING_ORDER = 'ORDER BY waits, turn_priority, turn_row_id, row_id';

const QUEUED = `SELECT ${COLUMNS} FROM outbox WHERE lane = ? AND state = 'queued' ${LEAVING_ORDER} LIMIT ?`;
/** As the index outbox_streams has it, which answers this without reading the rows. */
const STREAM = `substr(origin, 1, instr(origin || '/', '/') - 1)`;
const HEADS = `SELECT ${COLUMNS} FROM outbox WHERE row_id IN
  (SELECT MIN(row_id) FROM outbox WHERE lane = ? AND state = 'queued' GROUP BY ${STREAM}) ${LEAVING_ORDER} LIMIT ?`;
const BY_ID = `SELECT ${COLUMNS} FROM outbox WHERE row_id = ?`;
const SENT = `SELECT ${COLUMNS} FROM outbox WHERE lane = ? AND state = 'sent' ORDER BY row_id`;
const BY_PACKET = `SELECT ${COLUMNS} FROM outbox WHERE lane = ? AND packet_id = ? AND packet_id IS NOT NULL
  AND state IN ('queued', 'sent') ORDER BY row_id DESC LIMIT 1`;

/**
 * What has to leave: one per store. Rows of a group take the turn (priority, row id) of their first row, so they stay
 * adjacent; once one of them is sent, `waits` of all becomes 0 and the rest of the group leaves before anything else
 * of the lane. Row ids are never reused, since transaction ids are derived from them.
 */
export class SqliteOutbox implements OutboxStore {
  readonly #db: Database;
  readonly #clock: Clock;
  readonly #log: Logger;

  constructor(db: Database, clock: Clock, log: Logger) {
    this.#db = db;
    this.#clock = clock;
    this.#log = log;
  }

  add(row: NewOutboxRow): number {
    return this.#db.transaction(() => {
      const turn = row.groupId === null ? null : this.#turnOf(row.lane, row.groupId);
      const { rowId } = this.#db.run(
        `INSERT INTO outbox (lane, priority, created_at_ms, expires_at_ms, packet_id, origin, group_id, payload,
           waits, turn_priority, turn_row_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        row.lane,
        row.priority,
        wholeMs(row.createdAtMs),
        wholeMs(row.expiresAtMs),
        row.packetId,
        row.origin,
        row.groupId,
        JSON.stringify(row.payload),
        turn?.waits ?? 1,
        turn?.turn_priority ?? row.priority,
        turn?.turn_row_id ?? 0,
      );
      if (turn === null) this.#db.run('UPDATE outbox SET turn_row_id = row_id WHERE row_id = ?', rowId);
      return rowId;
    });
  }

  get(rowId: number): OutboxRow | null {
    return this.#one(BY_ID, rowId);
  }

  head(lane: string): OutboxRow | null {
    return this.#one(QUEUED, lane, 1);
  }

  queued(lane: string, limit: number): readonly OutboxRow[] {
    return this.#many(QUEUED, lane, limit);
  }

  heads(lane: string, limit: number): readonly OutboxRow[] {
    return this.#many(HEADS, lane, limit);
  }

  sent(lane: string): readonly OutboxRow[] {
    return this.#many(SENT, lane);
  }

  byPacketId(lane: string, packetId: number): OutboxRow | null {
    return this.#one(BY_PACKET, lane, packetId);
  }

  update(rowId: number, change: OutboxChange): void {
    const assignments = assign(change, this.#clock.now());
    if (assignments.length === 0) return;
    this.#db.transaction(() => {
      const columns = assignments.map(([column]) => `${column} = ?`).join(', ');
      const values = assignments.map(([, value]) => value);
      const { changes } = this.#db.run(`UPDATE outbox SET ${columns} WHERE row_id = ?`, ...values, rowId);
      if (changes === 0) this.#log.warn('Change of an outbox row that is gone', { rowId, state: change.state });
      if (change.state === 'sent' || change.state === 'done') this.#startGroup(rowId);
    });
  }

  depths(): readonly LaneDepth[] {
    return this.#db.all<LaneDepth>(
      `SELECT lane, SUM(state = 'queued') AS queued, SUM(state = 'sent') AS sent,
         MIN(created_at_ms) AS oldestCreatedAtMs
       FROM outbox WHERE state IN ('queued', 'sent') GROUP BY lane ORDER BY lane`,
    );
  }

  expired(nowMs: number): readonly OutboxRow[] {
    const oldest = `SELECT row_id, row_number() OVER (PARTITION BY lane ORDER BY expires_at_ms, row_id) AS place
      FROM outbox WHERE state = 'queued' AND expires_at_ms <= ?`;
    const sql = `SELECT ${COLUMNS} FROM outbox WHERE row_id IN (SELECT row_id FROM (${oldest}) WHERE place <= ?)
      ORDER BY expires_at_ms, row_id`;
    return this.#many(sql, nowMs, EXPIRED_AT_ONCE);
  }

  lastRowId(): number {
    return this.#db.get<{ readonly seq: number }>(`SELECT seq FROM sqlite_sequence WHERE name = 'outbox'`)?.seq ?? 0;
  }

  postpone(afterRowId: number, byMs: number): void {
    const sql = `UPDATE outbox SET expires_at_ms = MIN(expires_at_ms + ?, ?) WHERE state = 'queued' AND row_id > ?`;
    this.#db.run(sql, wholeMs(byMs), Number.MAX_SAFE_INTEGER, afterRowId);
  }

  requeueSent(lane: string): void {
    const sql = `UPDATE outbox SET state = 'queued', sent_at_ms = NULL, next_attempt_at_ms = 0
      WHERE lane = ? AND state = 'sent'`;
    this.#db.run(sql, lane);
  }

  redirectReplies(fromPacketId: number, toPacketId: number): void {
    const sql = `UPDATE outbox SET payload = json_set(payload, '$.replyId', ?)
      WHERE lane LIKE 'radio:%' AND state = 'queued' AND json_extract(payload, '$.replyId') = ?`;
    this.#db.run(sql, toPacketId, fromPacketId);
  }

  prune(beforeMs: number): number {
    const sql = `DELETE FROM outbox WHERE state IN ('done', 'failed', 'expired') AND finished_at_ms < ?`;
    return this.#db.run(sql, beforeMs).changes;
  }

  #turnOf(lane: string, groupId: string): Turn | null {
    const sql = `SELECT waits, turn_priority, turn_row_id FROM outbox
      WHERE lane = ? AND group_id = ? AND group_id IS NOT NULL ORDER BY row_id LIMIT 1`;
    return this.#db.get<Turn>(sql, lane, groupId) ?? null;
  }

  #startGroup(rowId: number): void {
    const sql = 'SELECT lane, group_id FROM outbox WHERE row_id = ? AND group_id IS NOT NULL AND waits = 1';
    const row = this.#db.get<{ readonly lane: string; readonly group_id: string }>(sql, rowId);
    if (row === undefined) return;
    const start = 'UPDATE outbox SET waits = 0 WHERE lane = ? AND group_id = ? AND group_id IS NOT NULL';
    this.#db.run(start, row.lane, row.group_id);
  }

  #one(sql: string, ...values: readonly SqlValue[]): OutboxRow | null {
    const row = this.#db.get<OutboxColumns>(sql, ...values);
    return row === undefined ? null : toRow(row);
  }

  #many(sql: string, ...values: readonly SqlValue[]): readonly OutboxRow[] {
    return this.#db.all<OutboxColumns>(sql, ...values).map(toRow);
  }
}

/** "Never" may come as Infinity, which no INTEGER column holds. */
function wholeMs(ms: number): number {
  return Math.trunc(Math.min(ms, Number.MAX_SAFE_INTEGER));
}

function assign(change: OutboxChange, nowMs: number): readonly (readonly [string, SqlValue])[] {
  const finished = change.state !== undefined && change.state !== 'queued' && change.state !== 'sent';
  const all: readonly (readonly [string, SqlValue | undefined])[] = [
    ['lane', change.lane],
    ['state', change.state],
    ['finished_at_ms', change.state === undefined ? undefined : finished ? wholeMs(nowMs) : null],
    ['attempts', change.attempts],
    ['next_attempt_at_ms', change.nextAttemptAtMs === undefined ? undefined : wholeMs(change.nextAttemptAtMs)],
    ['sent_at_ms', typeof change.sentAtMs === 'number' ? wholeMs(change.sentAtMs) : change.sentAtMs],
    ['packet_id', change.packetId],
    ['last_error', change.lastError],
    ['payload', change.payload === undefined ? undefined : JSON.stringify(change.payload)],
  ];
  return all.filter((pair): pair is readonly [string, SqlValue] => pair[1] !== undefined);
}

function toRow(row: OutboxColumns): OutboxRow {
  return {
    rowId: row.row_id,
    lane: row.lane,
    priority: row.priority,
    createdAtMs: row.created_at_ms,
    expiresAtMs: row.expires_at_ms,
    packetId: row.packet_id,
    origin: row.origin,
    groupId: row.group_id,
    payload: JSON.parse(row.payload) as JsonObject,
    state: row.state,
    attempts: row.attempts,
    nextAttemptAtMs: row.next_attempt_at_ms,
    sentAtMs: row.sent_at_ms,
    lastError: row.last_error,
    begun: row.waits === 0,
  };
}
