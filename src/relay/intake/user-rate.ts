export interface UserRate {
  readonly perMinute: number;
  readonly burst: number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

const MAX_USERS = 10_000;

/**
 * A token bucket per Matrix user, so that one person cannot take all of the air. One per engine. Holds the buckets.
 * Time is the event's own, so that a catch-up after a day is judged as it was written, not as it arrives.
 */
export class UserRateLimiter {
  readonly #buckets = new Map<string, Bucket>();

  /** True when the user may send one more; takes the token. */
  take(userId: string, atMs: number, rate: UserRate): boolean {
    const bucket = this.#buckets.get(userId) ?? { tokens: rate.burst, atMs };
    const refill = (Math.max(0, atMs - bucket.atMs) * rate.perMinute) / 60_000;
    const tokens = Math.min(rate.burst, bucket.tokens + refill);
    const allowed = tokens >= 1;
    this.#buckets.delete(userId);
    this.#buckets.set(userId, { tokens: allowed ? tokens - 1 : tokens, atMs: Math.max(atMs, bucket.atMs) });
    const oldest = this.#buckets.keys().next();
    if (this.#buckets.size > MAX_USERS && !oldest.done) this.#buckets.delete(oldest.value);
    return allowed;
  }
}
