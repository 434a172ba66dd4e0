import type { Clock } from '../util/clock.ts';
import type { Logger } from '../util/logger.ts';
import { BROADCAST } from '../util/node-id.ts';
import { RelayError } from '../util/relay-error.ts';
import { utf8Encode } from '../util/utf8.ts';
import { Waker } from '../util/waker.ts';
import type { RadioDelivery } from './delivery.ts';
import { guardedLoop } from './guarded-loop.ts';
import { LaneOrder } from './lane-order.ts';
import { FRESH_PACING, holdUntil, noteQueue, type PacingState, paceAfter } from './pacing.ts';
import type { OutgoingPacket, QueueStatus, RadioPort, RoutingResult } from './ports.ts';
import { queueVerdict, type RadioVerdict, routingVerdict } from './rules/routing-errors.ts';
import type { OutboxRow, StorePort } from './store-port.ts';

export type RadioOutcome =
  | { readonly state: 'on-air' | 'heard' | 'acked' }
  | { readonly state: 'failed' | 'expired'; readonly reason: string };

export interface RadioLaneOptions {
  readonly lane: string;
  readonly radio: RadioPort;
  readonly store: StorePort;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly gapMs: number;
  /** Estimated time on air of one full packet. */
  readonly airtimeMs: () => number;
  /** Called inside the transaction that changes the row. */
  readonly onOutcome: (row: OutboxRow, delivery: RadioDelivery, outcome: RadioOutcome) => void;
  readonly onFatal: (error: unknown) => void;
  /** A retry under a new packet id: links have to follow. Called inside the transaction. */
  readonly onNewPacketId: (row: OutboxRow, delivery: RadioDelivery, packetId: number) => void;
}

/** A queue status normally answers within milliseconds; on a busy BLE link it may take seconds, or get lost. */
const ANSWER_TIMEOUT_MS = 5_000;
/** After that many unanswered offers on a live link the packet counts as taken: the radio ignores ids it has seen. */
const SILENT_OFFERS = 3;
/** Three tries of the firmware on the slowest preset take 73 s (spec 04 section 3.2). */
const ACK_TIMEOUT_MS = 180_000;
/** How often ages and acknowledgements are looked at when nothing else happens. */
const SWEEP_MS = 15_000;
const LOOKAHEAD_ROWS = 500;

/** The packet that is being offered; a routing answer counts more than the queue status that came with it. */
interface Offer {
  readonly packetId: number;
  readonly answer: (answer: Answer) => void;
  routed: RadioVerdict | null;
}

type Answer = RadioVerdict | { readonly kind: 'silent' } | { readonly kind: 'link-lost'; readonly reason: string };

/**
 * Takes the rows of one radio's lane to the radio, one at a time, at the pace the firmware allows. One per radio.
 * Holds the pacing state and the one packet that is being offered; everything else is in the outbox.
 * Invariant: a row leaves `queued` only when the radio has taken its packet, has refused it for good, or its age is up.
 */
export class RadioLane {
  readonly #options: RadioLaneOptions;
  readonly #waker: Waker;
  readonly #order = new LaneOrder();
  #pacing: PacingState = FRESH_PACING;
  #offer: Offer | null = null;
  #silentOffers = { rowId: 0, count: 0 };
  readonly #abort = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(options: RadioLaneOptions) {
    this.#options = options;
    this.#waker = new Waker(options.clock);
  }

  start(): void {
    const { clock, logger, lane, onFatal } = this.#options;
    const loop = { name: lane, clock, logger, signal: this.#abort.signal, onFatal };
    this.#running = guardedLoop(loop, () => this.#step());
  }

  /** Resolves when the loop has ended; what was not sent stays in the outbox. */
  async stop(): Promise<void> {
    this.#abort.abort();
    this.#offer?.answer({ kind: 'link-lost', reason: 'stopping' });
    this.#waker.wake();
    await this.#running;
  }

  wake(): void {
    this.#waker.wake();
  }

  /** Free places in the radio's queue; null until it told. */
  freeSlots(): number | null {
    return this.#pacing.free;
  }

  onLinkChange(): void {
    const { status, reason } = this.#options.radio.state();
    if (status !== 'ready') this.#offer?.answer({ kind: 'link-lost', reason: reason ?? status });
    this.#waker.wake();
  }

  onQueueStatus(status: QueueStatus): void {
    const atMs = this.#options.clock.monotonic();
    this.#pacing = noteQueue(this.#pacing, status.free, { atMs, airtimeMs: this.#options.airtimeMs() });
    if (this.#offer?.packetId === status.packetId) this.#offer.answer(queueVerdict(status.res));
  }

  /** A routing answer to a packet that is being offered, or that waits for its acknowledgement. */
  onRouting(result: RoutingResult): void {
    const row = this.#options.store.outbox.byPacketId(this.#options.lane, result.packetId);
    if (row === null) return;
    const delivery = readRadioDelivery(row);
    const verdict = routingVerdict(result.error, delivery.to === BROADCAST);
    if (this.#offer?.packetId === result.packetId) {
      this.#offer.routed = verdict;
      this.#offer.answer(verdict);
    } else if (row.state === 'sent' || verdict.kind === 'acknowledged') {
      this.#settle(row, delivery, verdict);
    }
  }

  async #step(): Promise<void> {
    this.#sweep();
    const row = this.#next();
    const waitMs = row === null ? null : this.#waitFor(row);
    if (row === null || waitMs !== 0) await this.#waker.wait(waitMs ?? SWEEP_MS);
    else await this.#send(row);
  }

  #next(): OutboxRow | null {
    return this.#order.next(this.#options.store.outbox.queued(this.#options.lane, LOOKAHEAD_ROWS));
  }

  /** Milliseconds until the row may leave; null while the link is down (a change of it wakes us). */
  #waitFor(row: OutboxRow): number | null {
    if (this.#options.radio.state().status !== 'ready') return null;
    const { clock } = this.#options;
    return Math.max(0, this.#pacing.notBeforeMs - clock.monotonic(), row.nextAttemptAtMs - clock.now());
  }

  async #send(row: OutboxRow): Promise<void> {
    const delivery = readRadioDelivery(row);
    const answer = await this.#offerPacket(row, delivery);
    const { clock, logger, gapMs } = this.#options;
    if (answer.kind === 'link-lost') {
      logger.debug('Packet waits: the link went away', { packetId: row.packetId, reason: answer.reason });
      return;
    }
    this.#pacing = paceAfter(this.#pacing, clock.monotonic(), gapMs);
    if (answer.kind === 'silent' && !this.#givenUpOnSilence(row)) return;
    const current = this.#options.store.outbox.get(row.rowId);
    if (current !== null && current.state === 'queued') this.#settle(current, delivery, answer);
  }

  #givenUpOnSilence(row: OutboxRow): boolean {
    const count = this.#silentOffers.rowId === row.rowId ? this.#silentOffers.count + 1 : 1;
    this.#silentOffers = { rowId: row.rowId, count };
    return count >= SILENT_OFFERS;
  }

  async #offerPacket(row: OutboxRow, delivery: RadioDelivery): Promise<Answer> {
    const packet = outgoing(row, delivery);
    const { promise: answered, resolve: answer } = Promise.withResolvers<Answer>();
    const offer: Offer = { packetId: packet.id, answer, routed: null };
    this.#offer = offer;
    const timeout = this.#options.clock.after(ANSWER_TIMEOUT_MS, () => answer({ kind: 'silent' }));
    try {
      await this.#options.radio.send(packet);
      const first = await answered;
      return offer.routed ?? first;
    } catch (error) {
      if (error instanceof RelayError && error.retry.kind === 'never')
        return { kind: 'failed', reason: error.userText ?? error.message };
      return { kind: 'link-lost', reason: error instanceof Error ? error.message : String(error) };
    } finally {
      timeout();
      this.#offer = null;
    }
  }

  /** Brings the radio's word into the outbox. */
  #settle(row: OutboxRow, delivery: RadioDelivery, answer: Answer): void {
    const { store, clock } = this.#options;
    store.transaction(() => {
      if (answer.kind === 'retry') this.#retry(row, delivery, answer);
      else if (answer.kind === 'failed') this.#finish(row, delivery, { state: 'failed', reason: answer.reason });
      else if (answer.kind === 'acknowledged')
        this.#finish(row, delivery, { state: delivery.to === BROADCAST ? 'heard' : 'acked' });
      else if (row.state === 'sent') this.#finish(row, delivery, { state: 'on-air' });
      else {
        store.outbox.update(row.rowId, {
          state: delivery.wantAck ? 'sent' : 'done',
          sentAtMs: clock.now(),
          attempts: row.attempts + 1,
        });
        if (!delivery.wantAck) this.#options.onOutcome(row, delivery, { state: 'on-air' });
      }
    });
    if (answer.kind !== 'retry') this.#order.leave(row);
    this.#waker.wake();
  }

  #retry(row: OutboxRow, delivery: RadioDelivery, verdict: Extract<Answer, { kind: 'retry' }>): void {
    const { store, clock, logger, radio } = this.#options;
    const packetId = radio.newPacketId();
    logger.info('The radio did not take a packet, it is tried again', {
      packetId: row.packetId,
      newPacketId: packetId,
      reason: verdict.reason,
    });
    store.outbox.update(row.rowId, {
      state: 'queued',
      packetId,
      attempts: row.attempts + 1,
      nextAttemptAtMs: clock.now() + verdict.afterMs,
      lastError: verdict.reason,
    });
    this.#options.onNewPacketId(row, delivery, packetId);
    this.#pacing = holdUntil(this.#pacing, clock.monotonic(), verdict.afterMs);
  }

  #finish(row: OutboxRow, delivery: RadioDelivery, outcome: RadioOutcome): void {
    const state = outcome.state === 'failed' || outcome.state === 'expired' ? outcome.state : 'done';
    this.#options.store.outbox.update(row.rowId, { state, lastError: 'reason' in outcome ? outcome.reason : null });
    this.#options.onOutcome(row, delivery, outcome);
  }

  /** Rows whose age is up, and acknowledgements that will not come any more. */
  #sweep(): void {
    const { store, clock, lane } = this.#options;
    const nowMs = clock.now();
    const old = store.outbox.expired(nowMs).filter((row) => row.lane === lane);
    const unanswered = store.outbox.sent(lane).filter((row) => nowMs - (row.sentAtMs ?? 0) > ACK_TIMEOUT_MS);
    if (old.length === 0 && unanswered.length === 0) return;
    store.transaction(() => {
      for (const row of old) {
        const reason = row.lastError ?? this.#options.radio.state().reason ?? 'the radio was not reachable in time';
        this.#finish(row, readRadioDelivery(row), { state: 'expired', reason });
      }
      for (const row of unanswered) this.#finish(row, readRadioDelivery(row), { state: 'on-air' });
    });
  }
}

/** The delivery in a row of a radio lane, as `delivery.ts` wrote it. */
function readRadioDelivery(row: OutboxRow): RadioDelivery {
  return row.payload as unknown as RadioDelivery;
}

function outgoing(row: OutboxRow, delivery: RadioDelivery): OutgoingPacket {
  return {
    id: row.packetId ?? 0,
    to: delivery.to,
    channel: delivery.channel,
    portnum: delivery.portnum,
    payload: utf8Encode(delivery.text),
    replyId: delivery.replyId,
    emoji: delivery.emoji,
    wantAck: delivery.wantAck,
    wantResponse: false,
    hopLimit: null,
    publicKey: null,
  };
}
