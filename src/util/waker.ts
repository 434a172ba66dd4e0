import type { Clock } from './clock.ts';

/**
 * Lets one loop sleep until somebody has work for it. One per loop. Invariant: a `wake` between the loop's look at its
 * work and its `wait` is not lost.
 */
export class Waker {
  readonly #clock: Clock;
  #signalled = false;
  #release: (() => void) | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  wake(): void {
    this.#signalled = true;
    this.#release?.();
  }

  /** Resolves at the next wake (or one not yet seen), after `maxMs` at the latest; null waits for a wake alone. */
  async wait(maxMs: number | null): Promise<void> {
    if (!this.#signalled) {
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
  }
}
