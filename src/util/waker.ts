import type { Clock } from './clock.ts';

/**
 * Lets one loop sleep until somebody has work for it, and tells whether the loop still turns. One per loop. Invariant:
 * a `wake` between the loop's look at its work and its `wait` is not lost.
 */
export class Waker {
  readonly #clock: Clock;
  #signalled = false;
  #release: (() => void) | null = null;
  /** Monotonic time by which the loop is to move; a loop that was not started owes nothing. */
  #dueMs = Number.POSITIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  wake(): void {
    this.#signalled = true;
    this.#release?.();
  }

  /** The loop begins its next step. */
  moved(): void {
    this.#dueMs = this.#clock.monotonic();
  }

  /** For how long the loop has owed its next step, in milliseconds: a wait that was asked for is not counted. */
  overdueMs(): number {
    return Math.max(0, this.#clock.monotonic() - this.#dueMs);
  }

  /** Resolves at the next wake (or one not yet seen), after `maxMs` at the latest; null waits for a wake alone. */
  async wait(maxMs: number | null): Promise<void> {
    if (!this.#signalled) {
      this.#dueMs = maxMs === null ? Number.POSITIVE_INFINITY : this.#clock.monotonic() + maxMs;
      await new Promise<void>((resolve) => {
        const cancel = maxMs === null ? undefined : this.#clock.after(maxMs, () => this.#release?.());
        this.#release = () => {
          this.#release = null;
          cancel?.();
          resolve();
        };
      });
    }
    this.#signalled = false;
    this.moved();
  }
}
