import type { Clock } from '../util/clock.ts';
import type { Logger } from '../util/logger.ts';
import type { StorePort } from './store-port.ts';

/** Less than this is NTP at its ordinary work. */
const NOTABLE_MS = 60_000;

/**
 * Notices that the wall clock was set forward while we run, as on a board without a battery that learns the date after
 * it has begun to take messages: they would all look too old at once. One per engine. Holds by how much wall and
 * monotonic clock differ, and where the rows of this run begin; those of earlier runs were dated by another clock.
 */
export class ClockSteps {
  readonly #store: StorePort;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #lastOldRowId: number;
  #offsetMs: number;

  constructor(options: { readonly store: StorePort; readonly clock: Clock; readonly logger: Logger }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#lastOldRowId = options.store.outbox.lastRowId();
    this.#offsetMs = options.clock.now() - options.clock.monotonic();
  }

  /** To be called before ages are judged: rows of this run become as old as they are. @throws RelayError STORE_* */
  settle(): void {
    const offsetMs = this.#clock.now() - this.#clock.monotonic();
    const byMs = offsetMs - this.#offsetMs;
    if (Math.abs(byMs) < NOTABLE_MS) return;
    // Set back, rows only live longer: nothing is lost by that, and event times of the homeserver were right before.
    if (byMs > 0) this.#store.outbox.postpone(this.#lastOldRowId, byMs);
    this.#offsetMs = offsetMs;
    this.#logger.warn('The clock of this machine was set', { byMs: Math.round(byMs) });
  }
}
