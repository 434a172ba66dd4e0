import type { Clock } from '../../util/clock.ts';

export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

/** Tokens that come back with time. One per plugin and purpose. */
export class TokenBucket {
  readonly #rate: Rate;
  readonly #clock: Clock;
  #tokens: number;
  #atMs: number;

  constructor(rate: Rate, clock: Clock) {
    this.#rate = rate;
    this.#clock = clock;
    this.#tokens = rate.burst;
    this.#atMs = clock.monotonic();
  }

  /** True when there was a token left to take. */
  take(): boolean {
    const nowMs = this.#clock.monotonic();
    this.#tokens = Math.min(this.#rate.burst, this.#tokens + ((nowMs - this.#atMs) / 1_000) * this.#rate.perSecond);
    this.#atMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}

/** What one plugin may do. Chat leaves first anyway; these keep the outbox and the log from filling up. */
export interface PluginLimits {
  readonly mesh: Rate;
  readonly rooms: Rate;
  /** Writes to the store: each is a transaction on disk. */
  readonly writes: Rate;
  readonly logLines: Rate;
  readonly storeBytes: number;
  /** Messages it has not finished; more are not offered to it. */
  readonly jobs: number;
}

export const PLUGIN_LIMITS: PluginLimits = {
  mesh: { burst: 30, perSecond: 10 / 60 },
  rooms: { burst: 60, perSecond: 1 },
  writes: { burst: 300, perSecond: 30 },
  logLines: { burst: 100, perSecond: 5 },
  storeBytes: 16 * 1024 * 1024,
  jobs: 100,
};
