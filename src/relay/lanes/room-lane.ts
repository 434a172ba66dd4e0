import { fullJitter } from '../../util/backoff.ts';
import type { Clock } from '../../util/clock.ts';
import type { JsonObject } from '../../util/json.ts';
import type { Logger } from '../../util/logger.ts';
import { errorText, RelayError } from '../../util/relay-error.ts';
import type { EventDelivery, RoomDelivery } from '../delivery.ts';
import { GuardedLoop } from '../guarded-loop.ts';
import type { MatrixPort, RoomSend } from '../ports.ts';
import type { OutboxChange, OutboxRow, StorePort } from '../store-port.ts';
import { type BoundEvent, bindRelation, fallbackEvent } from './bind-relation.ts';

export type RoomOutcome =
  | { readonly state: 'sent'; readonly eventId: string }
  | { readonly state: 'failed' | 'expired'; readonly reason: string };

export interface RoomLaneOptions {
  readonly lane: string;
  /** Room id or alias as configured. */
  readonly room: string;
  readonly matrix: MatrixPort;
  /** The room id behind `room`, joined or created. @throws RelayError */
  readonly resolve: (room: string) => Promise<string>;
  readonly store: StorePort;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  /** Makes transaction ids of this installation unlike those of any other with the same account. */
  readonly installId: string;
  /** Shared by all rooms: a homeserver limits the account, not the room. */
  readonly gate: AccountGate;
  /** Called before ages are judged. */
  readonly settleClock: () => void;
  /** Called inside the transaction that changes the row. */
  readonly onOutcome: (row: OutboxRow, delivery: RoomDelivery, outcome: RoomOutcome, roomId: string | null) => void;
  readonly onFatal: (error: unknown) => void;
}

/** Monotonic time before which the homeserver wants no event from this account. */
export interface AccountGate {
  notBeforeMs: number;
}

const BACKOFF = { baseMs: 1_000, capMs: 60_000 };
/** A refusal an administrator may lift (not invited, no power, encryption): the room waits, asking seldom. */
const BLOCKED_WAIT_MS = 60_000;
const IDLE_MS = 60_000;

/** Refusals of this very event: no waiting helps, and the events behind it must not wait for it. */
const EVENT_REFUSALS: ReadonlySet<string> = new Set(['MATRIX_TOO_LARGE', 'MATRIX_REFUSED']);

/**
 * Takes the rows of one room's lane to the homeserver, strictly in order. One per room. Holds nothing but its backoff.
 * Invariant: the next row is not offered before the one ahead of it is in the room, refused for good, or too old.
 */
export class RoomLane {
  readonly #options: RoomLaneOptions;
  readonly #loop: GuardedLoop;
  #failures = 0;
  /** Monotonic, as all waits: a wall clock that is set back must not make one last for years. */
  #notBeforeMs = 0;
  #blocked: string | null = null;

  constructor(options: RoomLaneOptions) {
    this.#options = options;
    this.#loop = new GuardedLoop({ ...options, name: options.lane, step: () => this.#step() });
  }

  /** Room id or alias as configured. */
  get room(): string {
    return this.#options.room;
  }

  start(): void {
    this.#loop.start();
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
  }

  wake(): void {
    this.#loop.wake();
  }

  overdueMs(): number {
    return this.#loop.overdueMs();
  }

  /** The homeserver is back: what waits for it need not wait out its backoff. */
  onMatrixUp(): void {
    this.#failures = 0;
    this.#notBeforeMs = 0;
    this.#loop.wake();
  }

  /** Why the room takes nothing at the moment; null when it does. */
  blocked(): string | null {
    return this.#blocked;
  }

  async #step(): Promise<void> {
    const { store, lane, clock, gate, settleClock } = this.#options;
    settleClock();
    const row = store.outbox.head(lane);
    if (row === null) {
      await this.#loop.wait(IDLE_MS);
      return;
    }
    if (row.expiresAtMs <= clock.now()) {
      this.#finish(row, { state: 'expired', reason: this.#blocked ?? row.lastError ?? 'too old' }, null);
      return;
    }
    const waitMs = Math.max(this.#notBeforeMs, gate.notBeforeMs) - clock.monotonic();
    if (waitMs > 0) await this.#loop.wait(waitMs);
    else await this.#send(row);
  }

  async #send(row: OutboxRow): Promise<void> {
    const delivery = readRoomDelivery(row);
    const { resolve, room } = this.#options;
    let roomId: string | null = null;
    try {
      roomId = await resolve(room);
      this.#succeed(row, await this.#deliver(row, delivery, roomId), roomId);
    } catch (error) {
      if (this.#loop.isStopping) return;
      if (!(error instanceof RelayError)) throw error;
      // A room that cannot be found is no fault of the event.
      if (roomId === null || !isRefusal(error, delivery)) this.#wait(row, error);
      else await this.#sendFallback(row, delivery, { error, roomId });
    }
  }

  async #deliver(row: OutboxRow, delivery: RoomDelivery, roomId: string): Promise<string> {
    const { matrix, store } = this.#options;
    if (delivery.kind === 'state')
      return (await matrix.setState({ roomId, type: delivery.type, content: delivery.content })).eventId;
    const event = delivery.kind === 'event' ? bindRelation(delivery, roomId, store.links) : redaction(delivery.eventId);
    return (await matrix.send({ roomId, ...event, ...mediaOf(delivery), txnId: this.#txnId(row) })).eventId;
  }

  async #sendFallback(
    row: OutboxRow,
    delivery: RoomDelivery,
    refusal: { error: RelayError; roomId: string | null },
  ): Promise<void> {
    const { error, roomId } = refusal;
    const { matrix, store, logger } = this.#options;
    const event = delivery.kind === 'event' && roomId !== null ? fallbackEvent(delivery, roomId, store.links) : null;
    if (event === null || roomId === null) {
      logger.warn('The homeserver refused an event for good', {
        row: row.rowId,
        code: error.code,
        error: errorText(error),
      });
      this.#finish(row, { state: 'failed', reason: error.userText ?? error.message }, roomId);
      return;
    }
    try {
      const { eventId } = await matrix.send({ roomId, ...event, txnId: `${this.#txnId(row)}f` });
      this.#succeed(row, eventId, roomId);
    } catch (second) {
      if (!(second instanceof RelayError)) throw second;
      if (isRefusal(second, null)) this.#finish(row, { state: 'failed', reason: second.message }, roomId);
      else this.#wait(row, second);
    }
  }

  /**
   * The same row is the same event, however often it is sent: the homeserver answers a repeat with the first event's id.
   * With its time, because a database restored from a backup counts its rows again: another message under a used id
   * would never arrive.
   */
  #txnId(row: OutboxRow): string {
    return `mmr${this.#options.installId}.${row.rowId}.${row.createdAtMs.toString(36)}`;
  }

  #succeed(row: OutboxRow, eventId: string, roomId: string): void {
    this.#failures = 0;
    this.#blocked = null;
    this.#finish(row, { state: 'sent', eventId }, roomId);
  }

  #finish(row: OutboxRow, outcome: RoomOutcome, roomId: string | null): void {
    const { store, clock } = this.#options;
    const delivery = readRoomDelivery(row);
    store.transaction(() => {
      const done = outcome.state === 'sent';
      store.outbox.update(row.rowId, {
        state: done ? 'done' : outcome.state,
        ...(done ? { sentAtMs: clock.now() } : {}),
        ...withoutMedia(delivery),
        lastError: outcome.state === 'sent' ? null : outcome.reason,
      });
      if (outcome.state === 'sent' && roomId !== null)
        rememberLink(store, delivery, { eventId: outcome.eventId, roomId, atMs: clock.now() });
      this.#options.onOutcome(row, delivery, outcome, roomId);
    });
  }

  #wait(row: OutboxRow, error: RelayError): void {
    const { clock, random, gate, logger, room } = this.#options;
    const reason = errorText(error);
    // Before the first login there is nothing to say that the state of the Matrix side does not say.
    if (this.#blocked !== reason && error.code !== 'MATRIX_NOT_READY')
      logger.warn('Messages for a room wait', { room, code: error.code, reason });
    this.#blocked = reason;
    this.#failures += 1;
    const policy = error.retry;
    const jitterMs = fullJitter(this.#failures - 1, BACKOFF, random());
    const waitMs = policy.kind === 'after' ? policy.ms : policy.kind === 'later' ? jitterMs : BLOCKED_WAIT_MS;
    this.#notBeforeMs = clock.monotonic() + waitMs;
    if (policy.kind === 'after') gate.notBeforeMs = Math.max(gate.notBeforeMs, this.#notBeforeMs);
    logger.debug('A row is tried again', { row: row.rowId, waitMs, failures: this.#failures });
  }
}

/** The delivery in a row of a room lane, as `delivery.ts` wrote it. */
function readRoomDelivery(row: OutboxRow): RoomDelivery {
  return row.payload as unknown as RoomDelivery;
}

function mediaOf(delivery: RoomDelivery): Pick<RoomSend, 'media'> {
  if (delivery.kind !== 'event' || delivery.media === undefined) return {};
  const { base64, ...rest } = delivery.media;
  return { media: { ...rest, data: Buffer.from(base64, 'base64') } };
}

/** A finished row is kept for a while, its file is not. */
function withoutMedia(delivery: RoomDelivery): Pick<OutboxChange, 'payload'> {
  if (delivery.kind !== 'event' || delivery.media === undefined) return {};
  const { media: _media, ...rest } = delivery;
  return { payload: rest as unknown as JsonObject };
}

/** "Not found" is the event's fault where it names another event; else it is the room that the server does not know (yet). */
function isRefusal(error: RelayError, delivery: RoomDelivery | null): boolean {
  if (EVENT_REFUSALS.has(error.code)) return true;
  if (error.code !== 'MATRIX_NOT_FOUND' || delivery === null) return false;
  return delivery.kind === 'redaction' || (delivery.kind === 'event' && delivery.relation !== null);
}

function redaction(eventId: string): BoundEvent {
  return { type: 'm.room.redaction', content: { redacts: eventId } };
}

function rememberLink(
  store: StorePort,
  delivery: RoomDelivery,
  sent: { eventId: string; roomId: string; atMs: number },
): void {
  const link: EventDelivery['link'] = delivery.kind === 'event' ? delivery.link : null;
  if (link === null) return;
  store.links.add({
    ...link,
    roomId: sent.roomId,
    eventId: sent.eventId,
    direction: 'to-room',
    createdAtMs: sent.atMs,
  });
}
