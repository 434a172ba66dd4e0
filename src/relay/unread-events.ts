import type { Clock } from '../util/clock.ts';
import type { Logger } from '../util/logger.ts';
import { errorText } from '../util/relay-error.ts';
import type { RoomEvent } from './ports.ts';
import type { StorePort } from './store-port.ts';

export interface UnreadEventsOptions {
  readonly store: StorePort;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A message that is older than this would not be sent to the mesh any more: its key is not waited for. */
  readonly maxAgeMs: () => number;
  /** An event has been unreadable for a minute. Runs inside a transaction. */
  readonly tell: (event: RoomEvent) => void;
}

const VALUE_KEY = 'unread_events';
const TELL_AFTER_MS = 60_000;
/** Kept as one value, so of a flood only the newest. */
const MAX_EVENTS = 100;

/**
 * Events whose keys have not come yet. One per engine; kept in the store, so that a key that comes after a restart still
 * brings its message. Invariant: a sender is told once per run at most, however many of their events stay unread.
 */
export class UnreadEvents {
  readonly #options: UnreadEventsOptions;
  readonly #told = new Set<string>();
  readonly #cancels = new Map<string, () => void>();

  constructor(options: UnreadEventsOptions) {
    this.#options = options;
  }

  /** Those of an earlier run that are worth waiting for. */
  load(): readonly RoomEvent[] {
    return this.#read();
  }

  /** An event that cannot be decrypted. Call inside the transaction of its batch. */
  add(event: RoomEvent): void {
    if (this.#options.store.inbox.hasEvent(event.eventId)) return; // its key was faster than this batch
    const others = this.#read().filter(({ eventId }) => eventId !== event.eventId);
    this.#write([...others, event].slice(-MAX_EVENTS));
    if (this.#told.has(event.sender) || this.#cancels.has(event.sender)) return;
    this.#lookLater(event.sender);
  }

  /** Its key has come. Call inside the transaction that stores the event. */
  remove(eventId: string): void {
    const events = this.#read();
    const others = events.filter((event) => event.eventId !== eventId);
    if (others.length < events.length) this.#write(others);
  }

  stop(): void {
    for (const cancel of this.#cancels.values()) cancel();
  }

  #lookAgain(sender: string): void {
    this.#cancels.delete(sender);
    const event = this.#read().find((unread) => unread.sender === sender);
    if (event === undefined) return;
    try {
      this.#options.store.transaction(() => this.#options.tell(event));
      this.#told.add(sender);
    } catch (error) {
      this.#options.logger.warn('A sender could not be told that an event is unreadable', { error: errorText(error) });
      this.#lookLater(sender);
    }
  }

  #lookLater(sender: string): void {
    const look = (): void => this.#lookAgain(sender);
    this.#cancels.set(sender, this.#options.clock.after(TELL_AFTER_MS, look, { background: true }));
  }

  #read(): readonly RoomEvent[] {
    const text = this.#options.store.values.get(VALUE_KEY);
    if (text === null) return [];
    const oldestMs = this.#options.clock.now() - this.#options.maxAgeMs();
    return (JSON.parse(text) as RoomEvent[]).filter(({ timestampMs }) => timestampMs >= oldestMs);
  }

  #write(events: readonly RoomEvent[]): void {
    const { values } = this.#options.store;
    if (events.length === 0) values.delete(VALUE_KEY);
    else values.set(VALUE_KEY, JSON.stringify(events));
  }
}
