import type { Clock } from '../../util/clock.ts';
import { MatrixError } from './matrix-error.ts';

export interface RateLimit {
  readonly perSecond: number;
  readonly burst: number;
}

export interface RateLimits {
  /** Sends, state events and redactions, by user. */
  readonly message: RateLimit | null;
  /** Password logins, by user. */
  readonly login: RateLimit | null;
}

export const NO_RATE_LIMITS: RateLimits = { message: null, login: null };

/** Synapse's defaults (synapse/config/ratelimiting.py). */
export const STOCK_RATE_LIMITS: RateLimits = {
  message: { perSecond: 0.2, burst: 10 },
  login: { perSecond: 0.003, burst: 5 },
};

/** Leaky buckets as Synapse has them. One per homeserver; a bucket that ran empty is the same as none. */
export class RateLimiter {
  limits: RateLimits;
  readonly #clock: Clock;
  readonly #buckets = new Map<string, { readonly level: number; readonly atMs: number }>();

  constructor(clock: Clock, limits: RateLimits) {
    this.#clock = clock;
    this.limits = limits;
  }

  /** Counts one action; throws M_LIMIT_EXCEEDED with `retry_after_ms` when the bucket is full. */
  take(kind: keyof RateLimits, userId: string): void {
    const limit = this.limits[kind];
    if (limit === null) return;
    const key = `${kind}\0${userId}`;
    const nowMs = this.#clock.monotonic();
    const bucket = this.#buckets.get(key) ?? { level: 0, atMs: nowMs };
    const level = Math.max(0, bucket.level - ((nowMs - bucket.atMs) / 1000) * limit.perSecond);
    if (level > limit.burst - 1) {
      const retryAfterMs = Math.ceil(((level - limit.burst + 1) / limit.perSecond) * 1000);
      throw new MatrixError(429, 'M_LIMIT_EXCEEDED', 'Too Many Requests', { retry_after_ms: retryAfterMs });
    }
    this.#buckets.set(key, { level: level + 1, atMs: nowMs });
  }
}
