import { airtimeMs } from '../../util/airtime.ts';
import type { Clock } from '../../util/clock.ts';
import type { Logger } from '../../util/logger.ts';
import { BROADCAST } from '../../util/node-id.ts';
import { RelayError } from '../../util/relay-error.ts';
import type { RadioDelivery } from '../delivery.ts';
import { GuardedLoop } from '../guarded-loop.ts';
import type { ClientNotification, GuestPacket, QueueStatus, RadioPort, RoutingResult } from '../ports.ts';
import { queueVerdict, type RadioVerdict, routingVerdict } from '../rules/routing-errors.ts';
import type { OutboxRow, StorePort } from '../store-port.ts';
import { AirBudget, type AirUse, airFacts, deliveryAirtimeMs } from './air-budget.ts';
import { GuestQueue } from './guest-queue.ts';
import { LaneOrder } from './lane-order.ts';
import { outgoingPacket, readRadioDelivery } from './outgoing-packet.ts';
import {
  FRESH_PACING,
  holdUntil,
  notePort,
  noteQueue,
  type PacingState,
  paceAfter,
  portFreeMs,
  portOpenMs,
} from './pacing.ts';
import { renumberPacket } from './renumber.ts';

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
  /** Called before ages are judged. */
  readonly settleClock: () => void;
  /** Called inside the transaction that changes the row. */
  readonly onOutcome: (row: OutboxRow, delivery: RadioDelivery, outcome: RadioOutcome) => void;
  readonly onFatal: (error: unknown) => void;
}

/** A queue status normally answers within milliseconds; on a busy BLE link it may take seconds, or get lost. */
const ANSWER_TIMEOUT_MS = 5_000;
/** After that many unanswered offers on a live link the packet counts as taken: the radio ignores ids it has seen. */
const SILENT_OFFERS = 3;
/** Three tries of the firmware on the slowest preset take 73 s (spec 04 section 3.2). */
const ACK_TIMEOUT_MS = 180_000;
/** A link that calls itself ready although it takes nothing is going down: its change of state wakes us, else we try again. */
const LINK_LOST_WAIT_MS = 1_000;
/** So long a radio is listened to before a packet in doubt is offered again: its answer may have waited for the new link. */
const LISTEN_MS = 1_500;
/** How often ages and acknowledgements are looked at when nothing else happens. */
const SWEEP_MS = 15_000;
/** No refusal asks for more; a time further off was written before the clock was set back. */
const LONGEST_RETRY_MS = 60_000;
/** Rooms and plugins that can take turns at once. */
const MAX_STREAMS = 500;
const MAX_FRAME_BYTES = 255;

/** The packet that is being offered; a routing answer counts more than the queue status that came with it. */
interface Offer {
  readonly packetId: number;
  readonly answer: (answer: Answer) => void;
  routed: RadioVerdict | null;
}

/** The radio's word about a packet that is not in the store yet. */
interface Word {
  readonly rowId: number;
  readonly packetId: number | null;
  readonly answer: Answer;
}

type Answer = RadioVerdict | { readonly kind: 'silent' } | { readonly kind: 'link-lost'; readonly reason: string };

/**
 * Takes the rows of one radio's lane to the radio, one at a time, at the pace the firmware allows. One per radio.
 * Holds the pacing state and the one packet that is being offered; everything else is in the outbox.
 * Invariant: a row leaves `queued` only when the radio has taken its packet, has refused it for good, or its age is up.
 */
export class RadioLane {
  readonly #options: RadioLaneOptions;
  readonly #loop: GuardedLoop;
  readonly #order = new LaneOrder();
  readonly #guests: GuestQueue;
  readonly #budget = new AirBudget();
  #pacing: PacingState = FRESH_PACING;
  #offer: Offer | null = null;
  /** Words that the store has not taken yet (a full disk): the radio says them once. */
  #words: readonly Word[] = [];
  #silentOffers = { rowId: 0, count: 0 };
  #said: { readonly packetId: number; readonly message: string } = { packetId: 0, message: '' };
  /** Monotonic time of the link's coming up; null while it is down. */
  #readySinceMs: number | null = null;
  /** Offered over a link that broke, or perhaps by the process before us. */
  #inDoubt: { readonly untilRowId: number; readonly rowId: number };

  constructor(options: RadioLaneOptions) {
    this.#options = options;
    this.#loop = new GuardedLoop({ ...options, name: options.lane, step: () => this.#step() });
    this.#guests = new GuestQueue(options.clock);
    this.#inDoubt = { untilRowId: options.store.outbox.lastRowId(), rowId: 0 };
  }

  start(): void {
    this.#loop.start();
  }

  /** Resolves when the loop has ended; what was not sent stays in the outbox. */
  async stop(): Promise<void> {
    const stopped = this.#loop.stop();
    this.#offer?.answer({ kind: 'link-lost', reason: 'stopping' });
    await stopped;
  }

  wake(): void {
    this.#loop.wake();
  }

  overdueMs(): number {
    return this.#loop.overdueMs();
  }

  /** Takes a packet of somebody who shares the radio; false when too many of theirs wait. */
  offerGuest(packet: GuestPacket): boolean {
    const isTaken = this.#guests.add(packet);
    if (isTaken) this.#loop.wake();
    return isTaken;
  }

  /** What this relay has put on the air, and what the region lets it. */
  air(): AirUse {
    return this.#budget.use(this.#options.clock.monotonic(), airFacts(this.#options.radio));
  }

  /** Its packet may be on the air: it is being offered, or was over a link that broke. */
  isUndecided({ rowId, packetId }: OutboxRow): boolean {
    const isHeard = this.#words.some((word) => word.rowId === rowId);
    return isHeard || this.#offer?.packetId === packetId || this.#inDoubt.rowId === rowId;
  }

  onLinkChange(): void {
    const { status, reason } = this.#options.radio.state();
    if (status !== 'ready') this.#offer?.answer({ kind: 'link-lost', reason: reason ?? status });
    this.#readySinceMs = status === 'ready' ? (this.#readySinceMs ?? this.#options.clock.monotonic()) : null;
    this.#loop.wake();
  }

  onQueueStatus(status: QueueStatus): void {
    const atMs = this.#options.clock.monotonic();
    this.#pacing = noteQueue(this.#pacing, status.free, { atMs, airtimeMs: this.#fullPacketMs() });
    if (this.#offer?.packetId === status.packetId) this.#offer.answer(queueVerdict(status.res));
  }

  /** Words of the radio about a packet, as how many minutes a duty cycle has to wait: better than our own. */
  onNotification({ replyId, message }: ClientNotification): void {
    if (replyId !== 0) this.#said = { packetId: replyId, message };
    const row = replyId === 0 ? null : this.#options.store.outbox.byPacketId(this.#options.lane, replyId);
    if (row !== null) this.#options.store.outbox.update(row.rowId, { lastError: message });
  }

  /** A routing answer to a packet that is being offered, or that waits for its acknowledgement. */
  onRouting(result: RoutingResult): void {
    const row = this.#options.store.outbox.byPacketId(this.#options.lane, result.packetId);
    if (row === null) {
      if (this.#offer?.packetId === result.packetId) this.#offer.answer(routingVerdict(result.error, false));
      return;
    }
    const delivery = readRadioDelivery(row);
    const verdict = routingVerdict(result.error, delivery.to === BROADCAST);
    if (this.#offer?.packetId === result.packetId) {
      this.#offer.routed = verdict;
      this.#offer.answer(verdict);
    } else {
      this.#heed({ rowId: row.rowId, packetId: row.packetId, answer: verdict });
    }
  }

  /** Another radio of ours heard this packet on the air, whatever became of the link over which we gave it away. */
  onOverheard(packetId: number): void {
    const row = this.#options.store.outbox.byPacketId(this.#options.lane, packetId);
    if (row === null || row.state !== 'queued' || this.#offer?.packetId === packetId) return;
    this.#settle(row, readRadioDelivery(row), { kind: 'accepted' });
  }

  async #step(): Promise<void> {
    this.#settleWords();
    this.#sweep();
    this.#guests.sweep(this.#options.radio.state().status === 'ready' ? 'TIMEOUT' : 'NO_INTERFACE');
    const row = this.#next();
    const rowWaitMs = row === null ? null : this.#waitFor(row);
    const { guest, waitMs } = this.#guestTurn(row, rowWaitMs);
    if (guest !== null && waitMs === 0) await this.#sendGuest(guest);
    else if (row !== null && rowWaitMs === 0) await this.#send(row);
    else await this.#loop.wait(Math.min(waitMs ?? SWEEP_MS, rowWaitMs ?? SWEEP_MS));
  }

  /** The packet of a guest whose turn it is: texts of ours and theirs alternate, the parts of one text stay together. */
  #guestTurn(row: OutboxRow | null, rowWaitMs: number | null): { guest: GuestPacket | null; waitMs: number | null } {
    const { radio, clock } = this.#options;
    if (radio.state().status !== 'ready') return { guest: null, waitMs: null };
    const nowMs = clock.monotonic();
    const waitMs = Math.max(0, this.#pacing.notBeforeMs - nowMs);
    const other = this.#guests.nextOther(({ portnum }) => portOpenMs(this.#pacing, portnum) <= nowMs);
    if (other !== null && (this.#pacing.free !== 0 || waitMs === 0)) return { guest: other, waitMs: 0 };
    const text = this.#guests.nextText();
    const isOurs = rowWaitMs !== null && rowWaitMs <= waitMs && (!this.#guests.isTheirTurn || this.#order.isOpen(row));
    if (text !== null && !isOurs) return { guest: text, waitMs };
    const ports = this.#guests.otherPorts().map((portnum) => portOpenMs(this.#pacing, portnum));
    if (ports.length === 0) return { guest: null, waitMs: null };
    return { guest: null, waitMs: Math.max(this.#pacing.free === 0 ? waitMs : 0, Math.min(...ports) - nowMs) };
  }

  async #sendGuest(packet: GuestPacket): Promise<void> {
    const { radio, clock, gapMs } = this.#options;
    const answer = await this.#offerPacket(packet.id, () => radio.sendGuest?.(packet) ?? Promise.resolve());
    const nowMs = clock.monotonic();
    this.#pacing = notePort(this.#pacing, packet.portnum, nowMs);
    if (packet.isText) this.#pacing = paceAfter(this.#pacing, nowMs, gapMs);
    // It stays in line: offered again under its id, the mesh takes it once.
    if (answer.kind === 'link-lost') return this.#loop.wait(LINK_LOST_WAIT_MS);
    this.#guests.remove(packet);
    if (answer.kind === 'retry' || answer.kind === 'failed') packet.onRefused('RATE_LIMIT_EXCEEDED');
    else packet.onTaken();
  }

  #fullPacketMs(): number {
    return airtimeMs(MAX_FRAME_BYTES, airFacts(this.#options.radio).modem);
  }

  #next(): OutboxRow | null {
    return this.#order.next(this.#options.store.outbox.heads(this.#options.lane, MAX_STREAMS));
  }

  /** Milliseconds until the row may leave; null while the link is down (a change of it wakes us). */
  #waitFor(row: OutboxRow): number | null {
    if (this.#options.radio.state().status !== 'ready') return null;
    const { clock, radio } = this.#options;
    const facts = airFacts(radio);
    const delivery = readRadioDelivery(row);
    const packet = { airMs: deliveryAirtimeMs(delivery, facts.modem), priority: row.priority };
    const airWaitMs = this.#budget.waitMs(clock.monotonic(), packet, facts);
    const dueInMs = row.nextAttemptAtMs - clock.now();
    const retryWaitMs = dueInMs > LONGEST_RETRY_MS ? 0 : dueInMs;
    const freeMs = Math.max(portFreeMs(this.#pacing, delivery.portnum), this.#listenUntilMs(row));
    return Math.max(0, freeMs - clock.monotonic(), retryWaitMs, airWaitMs);
  }

  #listenUntilMs({ rowId }: OutboxRow): number {
    const isInDoubt = rowId <= this.#inDoubt.untilRowId || rowId === this.#inDoubt.rowId;
    return isInDoubt && this.#readySinceMs !== null ? this.#readySinceMs + LISTEN_MS : 0;
  }

  async #send(row: OutboxRow): Promise<void> {
    const delivery = readRadioDelivery(row);
    const { clock, logger, gapMs, radio } = this.#options;
    const packet = outgoingPacket(row);
    this.#noteOwn(packet.id);
    const offeredAtMs = clock.monotonic();
    const answer = await this.#offerPacket(packet.id, () => radio.send(packet));
    this.#guests.giveTurn();
    // Also when the link went away: a radio that has restarted behind it may have taken the packet all the same.
    const nowMs = clock.monotonic();
    this.#pacing = notePort(paceAfter(this.#pacing, nowMs, gapMs), delivery.portnum, nowMs);
    if (answer.kind === 'link-lost') {
      this.#inDoubt = { ...this.#inDoubt, rowId: row.rowId };
      logger.debug('Packet waits: the link went away', { packetId: row.packetId, reason: answer.reason });
      return this.#loop.wait(LINK_LOST_WAIT_MS);
    }
    if (answer.kind === 'silent' && !this.#givenUpOnSilence(row, offeredAtMs)) return;
    if (this.#options.store.outbox.get(row.rowId)?.state === 'queued')
      this.#heed({ rowId: row.rowId, packetId: row.packetId, answer });
  }

  /** Its echo is a duplicate. Rows written before the radio told its node number could not be noted then. */
  #noteOwn(packetId: number): void {
    const { radio, store, clock } = this.#options;
    const own = radio.info()?.nodeNum ?? null;
    if (own !== null) store.inbox.noteOwnPacket(own, packetId, clock.now());
  }

  /** A radio that says nothing at all may be gone, behind a link that nobody has closed: it has taken nothing. */
  #givenUpOnSilence(row: OutboxRow, offeredAtMs: number): boolean {
    const heardMs = this.#options.radio.lastHeardMs?.() ?? Number.POSITIVE_INFINITY;
    if (heardMs < offeredAtMs) return false;
    const count = this.#silentOffers.rowId === row.rowId ? this.#silentOffers.count + 1 : 1;
    this.#silentOffers = { rowId: row.rowId, count };
    return count >= SILENT_OFFERS;
  }

  async #offerPacket(packetId: number, send: () => Promise<void>): Promise<Answer> {
    const { promise: answered, resolve: answer } = Promise.withResolvers<Answer>();
    const offer: Offer = { packetId, answer, routed: null };
    this.#offer = offer;
    const timeout = this.#options.clock.after(ANSWER_TIMEOUT_MS, () => answer({ kind: 'silent' }));
    try {
      await send();
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

  #heed(word: Word): void {
    this.#words = [...this.#words, word];
    this.#settleWords();
  }

  #settleWords(): void {
    for (const word of this.#words) {
      const row = this.#options.store.outbox.get(word.rowId);
      // Under another id, or done with: a later word was faster.
      const isOpen = row?.packetId === word.packetId && (row.state === 'queued' || row.state === 'sent');
      if (isOpen) this.#settle(row, readRadioDelivery(row), word.answer);
      this.#words = this.#words.filter((other) => other !== word);
    }
  }

  /** Brings the radio's word into the outbox. */
  #settle(row: OutboxRow, delivery: RadioDelivery, answer: Answer): void {
    const { store, clock } = this.#options;
    store.transaction(() => {
      if (answer.kind === 'retry') this.#retry(row, answer);
      else if (answer.kind === 'failed') this.#finish(row, delivery, { state: 'failed', reason: answer.reason });
      else if (answer.kind === 'acknowledged')
        this.#finish(row, delivery, { state: delivery.to === BROADCAST ? 'heard' : 'acked' });
      else if (row.state === 'sent') this.#finish(row, delivery, { state: 'on-air' });
      else {
        this.#budget.note(clock.monotonic(), deliveryAirtimeMs(delivery, airFacts(this.#options.radio).modem));
        store.outbox.update(row.rowId, {
          state: delivery.wantAck ? 'sent' : 'done',
          sentAtMs: clock.now(),
          attempts: row.attempts + 1,
        });
        if (!delivery.wantAck) this.#options.onOutcome(row, delivery, { state: 'on-air' });
      }
    });
    // An answer to a row that has left before says nothing about whose turn it is.
    if (answer.kind !== 'retry' && row.state === 'queued') this.#order.leave(row);
    this.#loop.wake();
  }

  #retry(row: OutboxRow, verdict: Extract<Answer, { kind: 'retry' }>): void {
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
      lastError: this.#said.packetId === row.packetId ? this.#said.message : verdict.reason,
    });
    renumberPacket(row, { packetId, radio }, { store, atMs: clock.now() });
    this.#pacing = holdUntil(this.#pacing, clock.monotonic(), verdict.afterMs);
  }

  #finish(row: OutboxRow, delivery: RadioDelivery, outcome: RadioOutcome): void {
    const state = outcome.state === 'failed' || outcome.state === 'expired' ? outcome.state : 'done';
    this.#options.store.outbox.update(row.rowId, { state, lastError: 'reason' in outcome ? outcome.reason : null });
    this.#options.onOutcome(row, delivery, outcome);
  }

  /** Rows whose age is up, and acknowledgements that will not come any more. */
  #sweep(): void {
    const { store, clock, lane, settleClock } = this.#options;
    settleClock();
    const nowMs = clock.now();
    const old = store.outbox.expired(nowMs).filter((row) => row.lane === lane);
    const unanswered = store.outbox.sent(lane).filter((row) => Math.abs(nowMs - (row.sentAtMs ?? 0)) > ACK_TIMEOUT_MS);
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
