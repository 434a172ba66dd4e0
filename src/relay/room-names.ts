import { fullJitter } from '../util/backoff.ts';
import type { Clock } from '../util/clock.ts';
import type { Logger } from '../util/logger.ts';
import { errorText, RelayError } from '../util/relay-error.ts';
import { Waker } from '../util/waker.ts';
import type { MatrixPort } from './ports.ts';
import type { RelaySettings, RoomRoute } from './settings.ts';
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

interface Wait {
  readonly waker: Waker;
  reason: string;
}

/** What the owner of a room can do, who may not know that the relay goes on trying. */
const REMEDIES: Readonly<Record<string, string>> = {
  MATRIX_FORBIDDEN: 'invite the account, it joins by itself',
  MATRIX_NOT_FOUND: 'check the alias; where there is none, invite the account',
};

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
  readonly #open = new Map<string, Wait>();

  constructor(options: RoomNamesOptions) {
    this.#options = options;
    for (const { room } of options.settings.routes) this.#add(room);
  }

  start(): void {
    for (const [room, wait] of this.#open) void this.#resolve(room, wait);
  }

  /** The routes have changed: forgets rooms that are gone, and resolves those that are new. */
  follow(): void {
    const wanted = new Set(this.#options.settings.routes.map(({ room }) => room));
    for (const room of [...this.#open.keys(), ...this.#ids.keys()]) {
      if (wanted.has(room)) continue;
      this.#ids.delete(room);
      const wait = this.#open.get(room);
      this.#open.delete(room);
      wait?.waker.wake();
    }
    for (const room of wanted)
      if (!this.#ids.has(room) && !this.#open.has(room)) void this.#resolve(room, this.#add(room));
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

  /** The route of a room, or of one that it replaced: people may still talk there. */
  routeOf(roomId: string): RoomRoute | undefined {
    const current = this.#current(roomId);
    return this.#options.settings.routes.find(({ room }) => this.#roomId(room) === current);
  }

  /** An alias stands for another room now. */
  onMoved(alias: string, roomId: string): void {
    if (!this.#ids.has(alias)) return;
    this.#learn(alias, roomId);
    this.#options.onResolved();
  }

  /** True while an alias has never been resolved: an event of an unknown room may belong to it. */
  unresolved(): boolean {
    return this.#options.settings.routes.some(({ room }) => !this.#ids.has(room));
  }

  #add(room: string): Wait {
    const { store, clock } = this.#options;
    const known = room.startsWith('!') ? room : store.values.get(`alias:${room}`);
    if (known !== null) this.#ids.set(room, known);
    const wait = { waker: new Waker(clock), reason: 'not joined yet' };
    this.#open.set(room, wait);
    return wait;
  }

  #roomId(room: string): string | null {
    const roomId = this.#ids.get(room);
    return roomId === undefined ? null : this.#current(roomId);
  }

  #current(roomId: string): string {
    return this.#options.matrix.currentRoom?.(roomId) ?? roomId;
  }

  #learn(room: string, roomId: string): void {
    if (!room.startsWith('!')) this.#options.store.values.set(`alias:${room}`, roomId);
    this.#ids.set(room, roomId);
  }

  async #resolve(room: string, wait: Wait): Promise<void> {
    const { matrix, logger, random, onResolved } = this.#options;
    const { signal } = this.#abort;
    const isOver = (): boolean => signal.aborted || this.#open.get(room) !== wait;
    for (let attempt = 0; !isOver(); attempt += 1) {
      try {
        const roomId = await matrix.resolveRoom(room);
        if (isOver()) return;
        this.#learn(room, roomId);
        this.#open.delete(room);
        onResolved();
        return;
      } catch (error) {
        const reason = reasonOf(error);
        // Before the first login there is nothing to say that the state of the Matrix side does not say.
        const early = error instanceof RelayError && error.code === 'MATRIX_NOT_READY';
        if (reason !== wait.reason && !early && !isOver())
          logger.warn('A mapped room cannot be joined yet', { room, reason });
        wait.reason = reason;
        if (!isOver()) await wait.waker.wait(fullJitter(attempt, BACKOFF, random()));
      }
    }
  }
}

function reasonOf(error: unknown): string {
  const remedy = error instanceof RelayError ? REMEDIES[error.code] : undefined;
  return remedy === undefined ? errorText(error) : `${errorText(error)} (${remedy})`;
}
