import { fullJitter } from '../util/backoff.ts';
import type { Clock } from '../util/clock.ts';
import type { Logger } from '../util/logger.ts';
import { errorText, RelayError } from '../util/relay-error.ts';
import { Waker } from '../util/waker.ts';
import type { MatrixPort } from './ports.ts';
import type { RelaySettings } from './settings.ts';
import type { StorePort } from './store-port.ts';

export interface RoomNamesOptions {
  readonly matrix: MatrixPort;
  readonly store: StorePort;
  readonly settings: RelaySettings;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  readonly onResolved: () => void;
}

const BACKOFF = { baseMs: 2_000, capMs: 300_000 };

/**
 * Room ids behind the configured ids and aliases, each resolved and joined until that worked. One per engine. Holds
 * the answers, and keeps them in the store, so that a restart knows its rooms while the homeserver is away.
 */
export class RoomNames {
  readonly #options: RoomNamesOptions;
  readonly #abort = new AbortController();
  readonly #ids = new Map<string, string>();
  /** Rooms not joined yet, each with what wakes its loop and why it waits. */
  readonly #open = new Map<string, { readonly waker: Waker; reason: string }>();

  constructor(options: RoomNamesOptions) {
    this.#options = options;
    for (const { room } of options.settings.routes) {
      const known = room.startsWith('!') ? room : options.store.values.get(`alias:${room}`);
      if (known !== null) this.#ids.set(room, known);
      this.#open.set(room, { waker: new Waker(options.clock), reason: 'not joined yet' });
    }
  }

  start(): void {
    for (const [room, wait] of this.#open) void this.#resolve(room, wait);
  }

  stop(): void {
    this.#abort.abort();
    for (const { waker } of this.#open.values()) waker.wake();
  }

  /** The homeserver answers (again): what waits for it need not wait out its backoff. */
  onMatrixUp(): void {
    for (const { waker } of this.#open.values()) waker.wake();
  }

  /** Mapped rooms that are not joined, with the reason. */
  waiting(): ReadonlyMap<string, string> {
    return new Map([...this.#open].map(([room, { reason }]) => [room, reason]));
  }

  roomId(room: string): string | null {
    return this.#ids.get(room) ?? null;
  }

  isMapped(roomId: string): boolean {
    return [...this.#ids.values()].includes(roomId);
  }

  /** True while an alias has never been resolved: an event of an unknown room may belong to it. */
  unresolved(): boolean {
    return this.#options.settings.routes.some(({ room }) => !this.#ids.has(room));
  }

  async #resolve(room: string, wait: { readonly waker: Waker; reason: string }): Promise<void> {
    const { matrix, store, logger, random, onResolved } = this.#options;
    const { signal } = this.#abort;
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      try {
        const roomId = await matrix.resolveRoom(room);
        if (signal.aborted) return;
        this.#ids.set(room, roomId);
        if (!room.startsWith('!')) store.values.set(`alias:${room}`, roomId);
        this.#open.delete(room);
        onResolved();
        return;
      } catch (error) {
        const reason = errorText(error);
        // Before the first login there is nothing to say that the state of the Matrix side does not say.
        const early = error instanceof RelayError && error.code === 'MATRIX_NOT_READY';
        if (reason !== wait.reason && !early && !signal.aborted)
          logger.warn('A mapped room cannot be joined yet', { room, reason });
        wait.reason = reason;
        if (!signal.aborted) await wait.waker.wait(fullJitter(attempt, BACKOFF, random()));
      }
    }
  }
}
