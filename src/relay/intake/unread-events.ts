import type { Clock } from '../../util/clock.ts';
import type { Logger } from '../../util/logger.ts';
import { errorText } from '../../util/relay-error.ts';
import type { RelayObserver } from '../observer.ts';
import type { RoomEvent } from '../ports.ts';
import { unreadWords } from '../rules/unread-words.ts';
import type { StorePort } from '../store-port.ts';
import type { Teller } from '../teller.ts';

export interface UnreadEventsOptions {
  readonly store: StorePort;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A message that is older than this would not be sent to the mesh any more: its key is not waited for. */
  readonly maxAgeMs: () => number;
  readonly observer: RelayObserver;
  readonly teller: Teller;
  /** The room of the configuration with this id; undefined for any other, where nobody is told. */
  readonly routeRoom: (roomId: string) => string | undefined;
}

/** One value per event; keys sort by the time of their events. */
const KEY_PREFIX = 'unread:';
const TELL_AFTER_MS = 60_000;
/** More than a busy room says in twelve hours; the rest of a flood is not kept. */
const MAX_EVENTS = 2_000;
/** So many more may gather before somebody counts: a catch-up brings thousands in one transaction. */
const COUNT_EVERY = 100;
/** Between the decryption of an answer's events and its end few keys can come. */
const MAX_EARLY = 200;
/** Stands for no sender where only the number of dropped events is to be told. */
const NOBODY = '';
/** A key is normally there before its message; what waited longer for it is no news of this moment. */
const LATE_AFTER_MS = 60_000;

/**
 * Events whose keys have not come yet. One per engine; kept in the store, so that a key that comes after a restart still
 * brings its message. Invariants: only what was news is ever handed out again; a sender is told once per run at most,
 * however many of their events stay unread.
 */
export class UnreadEvents {
  readonly #options: UnreadEventsOptions;
  readonly #told = new Set<string>();
  readonly #cancels = new Map<string, () => void>();
  /** Opened before their batch was handed over: whether they are news is not known yet. */
  readonly #early = new Map<string, RoomEvent>();
  /** Time of the newest event that was readable, by room. */
  readonly #newestMs = new Map<string, number>();
  readonly #dropped = new Map<string, number>();
  readonly #refusers = new Set<string>();
  #addedSinceCount = 0;

  constructor(options: UnreadEventsOptions) {
    this.#options = options;
  }

  /** Those of an earlier run that are worth waiting for, oldest first. */
  load(): readonly RoomEvent[] {
    this.#options.store.transaction(() => this.#trim());
    return this.#keys().flatMap((key) => this.#read(key) ?? []);
  }

  /**
   * News that cannot be decrypted. Call inside the transaction of its batch.
   * @returns the readable event when its key was faster than its batch; null when it is waited for
   */
  add(event: RoomEvent): RoomEvent | null {
    const early = this.#early.get(event.eventId);
    if (early !== undefined) return early;
    const { inbox, values } = this.#options.store;
    const key = this.#newKey(event);
    if (inbox.hasEvent(event.eventId) || values.get(key) !== null) return null;
    values.set(key, JSON.stringify(event));
    this.#options.observer.onUndecryptable?.(event);
    this.#noteRefusal(event);
    this.#addedSinceCount += 1;
    if (this.#addedSinceCount > COUNT_EVERY) this.#trim();
    if (!this.#told.has(event.sender) && !this.#cancels.has(event.sender)) this.#lookLater(event.sender);
    return null;
  }

  /** A message that was readable when it came. */
  noteRead({ roomId, timestampMs }: RoomEvent): void {
    const atMs = Math.min(timestampMs, this.#options.clock.now());
    this.#newestMs.set(roomId, Math.max(atMs, this.#newestMs.get(roomId) ?? 0));
  }

  /**
   * There is more to say of an event given as unreadable. Call inside the transaction that stores the result.
   * @returns the event to relay, marked when it is late; null when it stays unread or was never news
   */
  learn(event: RoomEvent): RoomEvent | null {
    const key = this.#findKey(event);
    const { values } = this.#options.store;
    if (event.undecryptable !== null) {
      if (key !== null) values.set(key, JSON.stringify(event));
      if (key !== null) this.#noteRefusal(event);
      return null;
    }
    if (key === null) {
      this.#rememberEarly(event);
      return null;
    }
    values.delete(key);
    return this.#isLate(event) ? { ...event, late: true } : event;
  }

  stop(): void {
    for (const cancel of this.#cancels.values()) cancel();
  }

  #isLate({ roomId, timestampMs }: RoomEvent): boolean {
    const isOvertaken = (this.#newestMs.get(roomId) ?? 0) > timestampMs;
    return isOvertaken || this.#options.clock.now() - timestampMs > LATE_AFTER_MS;
  }

  #rememberEarly(event: RoomEvent): void {
    this.#early.set(event.eventId, event);
    const oldest = this.#early.keys().next();
    if (this.#early.size > MAX_EARLY && !oldest.done) this.#early.delete(oldest.value);
  }

  #noteRefusal({ sender, roomId, undecryptable }: RoomEvent): void {
    const isRefusal = undecryptable === 'refused' || undecryptable === 'refused-unverified';
    if (!isRefusal || this.#refusers.has(sender)) return;
    this.#refusers.add(sender);
    const fields = { room: roomId, sender, unverified: undecryptable === 'refused-unverified' };
    this.#options.logger.warn('A client refuses the relay the keys of its messages', fields);
  }

  #lookAgain(sender: string): void {
    this.#cancels.delete(sender);
    const { store, logger } = this.#options;
    try {
      const event = this.load().find((unread) => unread.sender === sender);
      store.transaction(() => {
        if (event !== undefined) this.#tell(event);
        for (const [roomId, count] of this.#dropped) this.#tellDropped(roomId, count);
      });
      if (event !== undefined) this.#told.add(sender);
      this.#dropped.clear();
    } catch (error) {
      logger.warn('A sender could not be told that an event is unreadable', { error: errorText(error) });
      this.#lookLater(sender);
    }
  }

  #tell({ roomId, eventId, sender, undecryptable }: RoomEvent): void {
    const { routeRoom, teller } = this.#options;
    const room = routeRoom(roomId);
    if (room === undefined || undecryptable === null) return;
    teller.tell({ kind: 'tell', room, eventId, sender, reason: 'unread', text: unreadWords(undecryptable) });
  }

  #tellDropped(roomId: string, count: number): void {
    const room = this.#options.routeRoom(roomId);
    const words = count === 1 ? '1 message that cannot' : `${count} messages that cannot`;
    if (room !== undefined) this.#options.teller.say(room, `${words} be decrypted here: no more waiting for the keys.`);
  }

  #lookLater(sender: string): void {
    const look = (): void => this.#lookAgain(sender);
    this.#cancels.set(sender, this.#options.clock.after(TELL_AFTER_MS, look, { background: true }));
  }

  /** Forgets what is too old for the mesh, and of too many the oldest. */
  #trim(): void {
    const { store, clock, maxAgeMs } = this.#options;
    this.#addedSinceCount = 0;
    const oldestKey = timeKey(clock.now() - maxAgeMs());
    const keys = this.#keys();
    const surplus = keys.length - MAX_EVENTS;
    for (const [index, key] of keys.entries()) {
      if (key >= oldestKey && index >= surplus) return;
      const roomId = key >= oldestKey ? this.#read(key)?.roomId : undefined;
      if (roomId !== undefined) this.#noteDropped(roomId);
      store.values.delete(key);
    }
  }

  #noteDropped(roomId: string): void {
    this.#dropped.set(roomId, (this.#dropped.get(roomId) ?? 0) + 1);
    if (!this.#cancels.has(NOBODY)) this.#lookLater(NOBODY);
  }

  #keys(): readonly string[] {
    return this.#options.store.values.keys(KEY_PREFIX);
  }

  #findKey(event: RoomEvent): string | null {
    const key = this.#newKey(event);
    if (this.#options.store.values.get(key) !== null) return key;
    // It was dated later than our clock then.
    return this.#keys().find((other) => other.endsWith(` ${event.eventId}`)) ?? null;
  }

  /** A server far away may date events as it likes: never later than now. */
  #newKey({ eventId, timestampMs }: RoomEvent): string {
    return `${timeKey(Math.min(timestampMs, this.#options.clock.now()))} ${eventId}`;
  }

  #read(key: string): RoomEvent | null {
    const text = this.#options.store.values.get(key);
    return text === null ? null : (JSON.parse(text) as RoomEvent);
  }
}

function timeKey(atMs: number): string {
  return `${KEY_PREFIX}${String(Math.max(0, Math.floor(atMs))).padStart(15, '0')}`;
}
