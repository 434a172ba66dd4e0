import { fullJitter } from '../util/backoff.ts';
import { type Clock, sleep } from '../util/clock.ts';
import type { Logger } from '../util/logger.ts';
import { errorText } from '../util/relay-error.ts';
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
  readonly #open = new Set<string>();

  constructor(options: RoomNamesOptions) {
    this.#options = options;
    for (const { room } of options.settings.routes) {
      const known = room.startsWith('!') ? room : options.store.values.get(`alias:${room}`);
      if (known !== null) this.#ids.set(room, known);
      this.#open.add(room);
    }
  }

  start(): void {
    for (const room of this.#open) void this.#resolve(room);
  }

  stop(): void {
    this.#abort.abort();
  }

  /** Nothing to do at once: each room's own retry loop is short while the homeserver answers. */
  onMatrixUp(): void {
    if (this.#open.size > 0) this.#options.onResolved();
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

  async #resolve(room: string): Promise<void> {
    const { matrix, store, clock, logger, random, onResolved } = this.#options;
    const { signal } = this.#abort;
    let said = '';
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      try {
        const roomId = await matrix.resolveRoom(room);
        this.#ids.set(room, roomId);
        if (!room.startsWith('!')) store.values.set(`alias:${room}`, roomId);
        this.#open.delete(room);
        onResolved();
        return;
      } catch (error) {
        const reason = errorText(error);
        if (reason !== said && !signal.aborted) logger.warn('A mapped room cannot be joined yet', { room, reason });
        said = reason;
        await sleep(clock, fullJitter(attempt, BACKOFF, random()), signal);
      }
    }
  }
}
