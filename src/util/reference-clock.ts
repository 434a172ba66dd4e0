import type { Clock } from './clock.ts';

/** Less than this is latency, and NTP at its ordinary work. */
const NOTABLE_MS = 60_000;

/**
 * The clock of this machine, unless it is plainly wrong: a board without a battery begins in the past, and what the
 * homeserver dated today would look like the future or, after a jump, too old. Then the time is the homeserver's, moved
 * on by the monotonic clock, until the two agree again. One per process. Holds the last correction.
 */
export class ReferenceClock implements Clock {
  readonly #machine: Clock;
  #aheadMs: number | null = null;

  constructor(machine: Clock) {
    this.#machine = machine;
  }

  get epoch(): string | undefined {
    return this.#machine.epoch;
  }

  now(): number {
    return this.#aheadMs === null ? this.#machine.now() : this.#machine.monotonic() + this.#aheadMs;
  }

  monotonic(): number {
    return this.#machine.monotonic();
  }

  after(delayMs: number, callback: () => void, options?: { readonly background?: boolean }): () => void {
    return this.#machine.after(delayMs, callback, options);
  }

  /** What time it is elsewhere, just now. @returns what has changed: whether the machine's clock is good, or null */
  hear(nowMs: number): 'wrong' | 'right' | null {
    const wasWrong = this.#aheadMs !== null;
    const isWrong = Math.abs(nowMs - this.#machine.now()) > NOTABLE_MS;
    this.#aheadMs = isWrong ? nowMs - this.#machine.monotonic() : null;
    if (isWrong === wasWrong) return null;
    return isWrong ? 'wrong' : 'right';
  }
}
