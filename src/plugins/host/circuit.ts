import { fullJitter } from '../../util/backoff.ts';
import type { Clock } from '../../util/clock.ts';

const BACKOFF = { baseMs: 1_000, capMs: 60_000 };
const WINDOW_MS = 10 * 60_000;
const MAX_DEATHS = 5;
/** A broken plugin gets another try after this long. */
const OPEN_MS = 30 * 60_000;

export interface NextTry {
  readonly afterMs: number;
  /** True: it died too often, this is the long pause. */
  readonly open: boolean;
}

/** Decides when a plugin that died may start again. One per plugin; holds the times of its last deaths. */
export class Circuit {
  readonly #clock: Clock;
  readonly #random: () => number;
  #deathsMs: number[] = [];

  constructor(clock: Clock, random: () => number) {
    this.#clock = clock;
    this.#random = random;
  }

  onDeath(): NextTry {
    const nowMs = this.#clock.monotonic();
    this.#deathsMs = [...this.#deathsMs.filter((atMs) => nowMs - atMs < WINDOW_MS), nowMs];
    if (this.#deathsMs.length >= MAX_DEATHS) {
      this.#deathsMs = [];
      return { afterMs: OPEN_MS, open: true };
    }
    return { afterMs: fullJitter(this.#deathsMs.length - 1, BACKOFF, this.#random()), open: false };
  }
}
