import type { Clock } from '../util/clock.ts';
import type { Logger } from '../util/logger.ts';
import type { StorePort } from './store-port.ts';

export interface ClockStepsOptions {
  readonly store: StorePort;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** By which clock the rows behind a row id were dated. */
interface Dating {
  readonly epoch: string | null;
  /** Wall minus monotonic time. */
  readonly offsetMs: number;
  readonly atMs: number;
  readonly afterRowId: number;
}

const VALUE_KEY = 'clock';
/** Less than this is NTP at its ordinary work. */
const NOTABLE_MS = 60_000;
/** No clock that knows the date shows less. */
const PLAUSIBLE_MS = Date.UTC(2025, 0, 1);

/**
 * Notices that the wall clock was set forward, as on a board without a battery that learns the date after it has begun
 * to take messages: they would all look too old at once. One per engine. Holds by how much wall and monotonic clock
 * differ, and where the rows begin that this clock dated; both are in the store, so that a clock set while we were
 * down, or just before a crash, ages nothing either. Rows of an earlier boot are as old as they look.
 */
export class ClockSteps {
  readonly #options: ClockStepsOptions;
  #dating: Dating | null = null;

  constructor(options: ClockStepsOptions) {
    this.#options = options;
  }

  /** To be called before ages are judged: rows become as old as they are. @throws RelayError STORE_* */
  settle(): void {
    const { clock, store, logger } = this.#options;
    const nowMs = clock.now();
    const offsetMs = nowMs - clock.monotonic();
    const before = this.#dating ?? this.#lastRun(nowMs, offsetMs);
    const byMs = offsetMs - before.offsetMs;
    const isSet = Math.abs(byMs) >= NOTABLE_MS;
    if (!isSet && this.#dating !== null) return;
    const dating = isSet ? { ...before, offsetMs, atMs: nowMs } : before;
    store.transaction(() => {
      // Set back, rows only live longer: nothing is lost by that, and event times of the homeserver were right before.
      if (isSet && byMs > 0) store.outbox.postpone(dating.afterRowId, byMs);
      store.values.set(VALUE_KEY, JSON.stringify(dating));
    });
    this.#dating = dating;
    if (isSet) logger.warn('The time was set', { byMs: Math.round(byMs) });
  }

  /** How the rows in the store were dated, as seen from the monotonic clock of now. */
  #lastRun(nowMs: number, offsetMs: number): Dating {
    const { store, clock } = this.#options;
    const epoch = clock.epoch ?? null;
    const fresh = { epoch, offsetMs, atMs: nowMs, afterRowId: store.outbox.lastRowId() };
    const text = store.values.get(VALUE_KEY);
    if (text === null) return fresh;
    const last = JSON.parse(text) as Dating;
    if (epoch !== null && last.epoch === epoch) return last;
    // An earlier boot that never learned the date: how long ago it was, nobody knows.
    const wasLost = last.atMs < PLAUSIBLE_MS && nowMs >= PLAUSIBLE_MS;
    return wasLost ? { ...last, epoch, offsetMs: offsetMs - (nowMs - last.atMs) } : fresh;
  }
}
