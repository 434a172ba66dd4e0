import type { Clock } from '../util/clock.ts';
import { isObject } from '../util/json.ts';
import type { Logger } from '../util/logger.ts';
import { errorText } from '../util/relay-error.ts';
import type { DeliverySource, RadioDelivery, RoomDelivery } from './delivery.ts';
import { radioLane } from './delivery.ts';
import type { RoomOutcome } from './lanes/room-lane.ts';
import type { StorePort } from './store-port.ts';

export interface WaitingMarksOptions {
  readonly store: StorePort;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whether senders want to see this state. */
  readonly isWanted: () => boolean;
  /** Puts the mark on a message. @returns its row in the outbox */
  readonly mark: (source: DeliverySource, key: string) => number;
  /** Takes it away. */
  readonly unmark: (room: string, eventId: string) => void;
}

const WAITING = '⏳';
const PREFIX = 'waiting:';
const PATIENCE_MS = 30_000;
const LOOK_MS = 15_000;
/** A long queue shows on its first messages: each mark costs two events of the few an account may send. */
const MAX_PER_ROOM = 3;
const ROWS_AT_ONCE = 200;

/**
 * Shows on a message that it waits for the air, and takes that back when there is more to say. One per engine. Which
 * messages are marked is in the store: `row <id>` until the mark is in the room, then the id of the mark.
 */
export class WaitingMarks {
  readonly #options: WaitingMarksOptions;
  #cancel: () => void = () => undefined;

  constructor(options: WaitingMarksOptions) {
    this.#options = options;
  }

  start(): void {
    this.#cancel = this.#options.clock.after(LOOK_MS, () => this.#look(), { background: true });
  }

  stop(): void {
    this.#cancel();
  }

  /** The message has left the queue, one way or the other. Call inside the transaction of that. */
  remove({ room, eventId }: DeliverySource): void {
    const { store, unmark } = this.#options;
    const mark = store.values.get(PREFIX + eventId);
    if (mark === null) return;
    store.values.delete(PREFIX + eventId);
    const rowId = markRow(mark);
    if (rowId === null) unmark(room, mark);
    else if (store.outbox.get(rowId)?.state === 'queued') store.outbox.update(rowId, { state: 'done' });
  }

  /** An event is in its room: perhaps a mark, which may have been overtaken. Call inside the transaction of that. */
  onRoomOutcome(room: string, delivery: RoomDelivery, outcome: RoomOutcome): void {
    const target = outcome.state === 'sent' ? markedBy(delivery) : null;
    if (target === null || outcome.state !== 'sent') return;
    const { values } = this.#options.store;
    if (values.get(PREFIX + target) === null) this.#options.unmark(room, outcome.eventId);
    else values.set(PREFIX + target, outcome.eventId);
  }

  #look(): void {
    const { store, isWanted, logger } = this.#options;
    try {
      if (isWanted()) store.transaction(() => this.#markOldest());
    } catch (error) {
      logger.warn('Messages that wait could not be marked', { error: errorText(error) });
    }
    this.start();
  }

  #markOldest(): void {
    const { store, clock, mark } = this.#options;
    const perRoom = new Map<string, number>();
    const lanes = store.outbox.depths().filter(({ lane, queued }) => lane.startsWith(radioLane('')) && queued > 0);
    for (const row of lanes.flatMap(({ lane }) => store.outbox.queued(lane, ROWS_AT_ONCE))) {
      const { source } = row.payload as unknown as RadioDelivery;
      if (source === null || source.part !== 1 || clock.now() - row.createdAtMs < PATIENCE_MS) continue;
      const count = perRoom.get(source.room) ?? 0;
      if (count >= MAX_PER_ROOM) continue;
      perRoom.set(source.room, count + 1);
      const key = PREFIX + source.eventId;
      if (store.values.get(key) === null) store.values.set(key, `row ${mark(source, WAITING)}`);
    }
  }
}

function markRow(mark: string): number | null {
  return mark.startsWith('row ') ? Number(mark.slice(4)) : null;
}

/** The message that bears this mark; null when it is none. */
function markedBy(delivery: RoomDelivery): string | null {
  if (delivery.kind !== 'event' || delivery.type !== 'm.reaction' || delivery.content.mmrelay_suppress !== true)
    return null;
  const relation = delivery.content['m.relates_to'];
  return isObject(relation) && relation.key === WAITING ? String(relation.event_id) : null;
}
