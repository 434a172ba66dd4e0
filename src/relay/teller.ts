import type { Clock } from '../util/clock.ts';
import type { JsonObject } from '../util/json.ts';
import type { Logger } from '../util/logger.ts';
import { BROADCAST, nodeId } from '../util/node-id.ts';
import { TEXT_MESSAGE_APP } from '../util/portnums.ts';
import { errorText } from '../util/relay-error.ts';
import {
  type DeliverySource,
  directRoomName,
  type EventDelivery,
  PRIORITY,
  plainEvent,
  type RadioDelivery,
  type RoomDelivery,
  roomLane,
} from './delivery.ts';
import type { RadioOutcome } from './lanes/radio-lane.ts';
import type { RoomOutcome } from './lanes/room-lane.ts';
import { replyContent } from './rules/room-content.ts';
import type { Intent, WorldView } from './rules/view.ts';
import type { DeliveryStatusMode } from './settings.ts';
import type { InboxRow, OutboxRow, StorePort } from './store-port.ts';
import { WaitingMarks } from './waiting-marks.ts';

export interface TellerOptions {
  readonly store: StorePort;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly mode: () => DeliveryStatusMode;
  readonly roomMaxAgeMs: () => number;
  readonly wakeLanes: (lanes: ReadonlySet<string>) => void;
}

/** How a state looks on the message it speaks of. The wording follows what the radio can know. */
const SYMBOLS = { 'on-air': '📤', heard: '📡', acked: '✅', failed: '❌', expired: '⌛' } as const;
/** Keys of the store that say which message has had its status, with the time as value. */
export const TOLD_PREFIX = 'told:';
const QUIET_MS = 60_000;
const TOO_OLD_QUIET_MS = 5_000;
const MAX_QUIET_ENTRIES = 5_000;

/**
 * Tells senders what became of their messages. One per engine. Holds when whom was last told the same thing.
 * Invariant: at most one status per message, and a few marks of waiting, because a stock homeserver allows an account
 * 0.2 events a second.
 */
export class Teller {
  readonly #options: TellerOptions;
  readonly #lastTold = new Map<string, { readonly atMs: number; readonly eventId: string }>();
  readonly #tooOld = new Map<string, { count: number; cancel: () => void }>();
  readonly #waiting: WaitingMarks;

  constructor(options: TellerOptions) {
    this.#options = options;
    this.#waiting = new WaitingMarks({
      ...options,
      isWanted: () => options.mode() === 'reactions',
      mark: ({ room, eventId }, key) => this.#add(room, statusReaction(key, eventId)),
      unmark: (room, eventId) => void this.#add(room, { kind: 'redaction', eventId }),
    });
  }

  start(): void {
    this.#waiting.start();
  }

  /** Something a rule wants the sender to know. Call inside the transaction of its cause. */
  tell(intent: Extract<Intent, { kind: 'tell' }>): void {
    const chatty = intent.reason === 'refused' || intent.reason === 'rate';
    if (chatty && this.#toldLately(`${intent.sender}/${intent.reason}`, intent.eventId)) return;
    this.#add(intent.room, noticeReply(intent.text, intent.eventId));
  }

  /** Something for everybody in the room. Call inside the transaction of its cause. */
  say(room: string, body: string): void {
    this.#add(room, notice(body));
  }

  /** The radio's word about one packet of ours. Call inside the transaction that changes its row. */
  onRadioOutcome(row: OutboxRow, delivery: RadioDelivery, outcome: RadioOutcome): void {
    const mode = this.#options.mode();
    const source = delivery.source;
    if (source !== null) this.#waiting.remove(source);
    if (source === null || mode === 'off') return;
    const bad = outcome.state === 'failed' || outcome.state === 'expired';
    if (!bad && (mode !== 'reactions' || source.part !== source.parts)) return;
    if (!this.#firstWord(source)) return;
    const words = 'reason' in outcome ? ` ${statusWords(outcome, source)}` : delivery.pki ? ' 🔒' : '';
    if (mode === 'notices') this.#add(source.room, noticeReply(`Not sent:${words}.`, source.eventId));
    else this.#add(source.room, statusReaction(`${SYMBOLS[outcome.state]}${words}`, source.eventId), row.origin);
  }

  /** A message was taken back before it was sent. Call inside the transaction of that. */
  onWithdrawn(source: DeliverySource): void {
    this.#waiting.remove(source);
  }

  /** What a room was told, or given, is there. Call inside the transaction that changes its row. */
  onRoomOutcome(row: OutboxRow, delivery: RoomDelivery, outcome: RoomOutcome): void {
    this.#waiting.onRoomOutcome(row.lane.slice(roomLane('').length), delivery, outcome);
  }

  /** A message that came while we were away and is too old for the air; a catch-up has many: one sentence for all. */
  noteTooOld(room: string): void {
    const waiting = this.#tooOld.get(room);
    if (waiting === undefined) this.#tooOld.set(room, { count: 1, cancel: this.#sayLater(room) });
    else waiting.count += 1;
  }

  /** A message that no rule could decide on: its people must not believe that it arrived. Call inside a transaction. */
  tellParked({ item }: InboxRow, view: WorldView): void {
    if (item.kind === 'room') {
      const { roomId, eventId } = item.event;
      const target = view.directTarget(roomId);
      const room = target === null ? view.routeOf(roomId)?.room : directRoomName(target.radio, target.node);
      if (room !== undefined) this.#add(room, noticeReply('❌ Not sent: a fault of the relay, see its log.', eventId));
      return;
    }
    const { from, to, id, channel, portnum } = item.packet;
    if (portnum !== TEXT_MESSAGE_APP || to !== BROADCAST || this.#toldLately('parked', String(id))) return;
    const words = `❌ A message of ${nodeId(from)} could not be shown: a fault of the relay, see its log.`;
    for (const { room, radio, channel: mapped } of view.settings.routes)
      if (radio === item.radio && mapped === channel) this.#add(room, notice(words));
  }

  /** The homeserver does not hand out what was said while we were away. Call inside a transaction. */
  tellGap(room: string): void {
    this.say(room, 'Some messages of the last hours could not be read; they were not sent to the mesh.');
  }

  /** Says now what it was going to say. */
  stop(): void {
    this.#waiting.stop();
    for (const [room, { cancel }] of this.#tooOld) {
      cancel();
      this.#trySayTooOld(room);
    }
  }

  #sayLater(room: string): () => void {
    const say = (): void => {
      const waiting = this.#tooOld.get(room);
      if (!this.#trySayTooOld(room) && waiting !== undefined) waiting.cancel = this.#sayLater(room);
    };
    return this.#options.clock.after(TOO_OLD_QUIET_MS, say, { background: true });
  }

  /** False when the store does not take it now, as on a full disk. */
  #trySayTooOld(room: string): boolean {
    const { store, logger } = this.#options;
    try {
      store.transaction(() => this.#sayTooOld(room, this.#tooOld.get(room)?.count ?? 0));
      this.#tooOld.delete(room);
      return true;
    } catch (error) {
      logger.warn('Senders could not be told that messages were too old', { room, error: errorText(error) });
      return false;
    }
  }

  #sayTooOld(room: string, count: number): void {
    const words = count === 1 ? '1 message was' : `${count} messages were`;
    this.say(room, `${words} not sent to the mesh: too old when the relay came back.`);
  }

  /** True for the first status of a message; remembered on disk so that a restart does not say it twice. */
  #firstWord(source: DeliverySource): boolean {
    const key = `${TOLD_PREFIX}${source.eventId}`;
    const { values } = this.#options.store;
    if (values.get(key) !== null) return false;
    values.set(key, String(this.#options.clock.now()));
    return true;
  }

  /** About the same event it is the second try of a transaction that failed: what it told was undone. */
  #toldLately(key: string, eventId: string): boolean {
    const atMs = this.#options.clock.monotonic();
    const last = this.#lastTold.get(key);
    if (last !== undefined && last.eventId !== eventId && atMs - last.atMs < QUIET_MS) return true;
    this.#lastTold.delete(key);
    this.#lastTold.set(key, { atMs, eventId });
    const oldest = this.#lastTold.keys().next();
    if (this.#lastTold.size > MAX_QUIET_ENTRIES && !oldest.done) this.#lastTold.delete(oldest.value);
    return false;
  }

  #add(room: string, delivery: RoomDelivery, origin = 'notice'): number {
    const { store, clock, roomMaxAgeMs, wakeLanes } = this.#options;
    const lane = roomLane(room);
    const rowId = store.outbox.add({
      lane,
      priority: PRIORITY.status,
      createdAtMs: clock.now(),
      expiresAtMs: clock.now() + roomMaxAgeMs(),
      packetId: null,
      origin,
      groupId: null,
      payload: delivery as unknown as JsonObject,
    });
    wakeLanes(new Set([lane]));
    return rowId;
  }
}

function statusWords(outcome: Extract<RadioOutcome, { reason: string }>, source: DeliverySource): string {
  const part = source.parts > 1 ? `part ${source.part} of ${source.parts}: ` : '';
  return `${part}${outcome.state === 'expired' ? 'waited too long: ' : ''}${outcome.reason}`;
}

function notice(body: string): EventDelivery {
  return plainEvent('m.room.message', { msgtype: 'm.notice', body, mmrelay_suppress: true });
}

function noticeReply(body: string, eventId: string): EventDelivery {
  return plainEvent('m.room.message', replyContent({ msgtype: 'm.notice', body, mmrelay_suppress: true }, eventId));
}

function statusReaction(key: string, eventId: string): EventDelivery {
  const relates = { rel_type: 'm.annotation', event_id: eventId, key };
  return plainEvent('m.reaction', { mmrelay_suppress: true, 'm.relates_to': relates });
}
