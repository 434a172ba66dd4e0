import type { Clock } from '../../util/clock.ts';

/**
 * The one stream of the server: gives out positions and wakes the long polls. One per homeserver.
 * Invariant: a position is given out once, and whoever takes one calls `notify` when the thing at it can be read.
 */
export class Hub {
  readonly #clock: Clock;
  readonly #waiters = new Set<() => void>();
  #pos = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get pos(): number {
    return this.#pos;
  }

  next(): number {
    this.#pos += 1;
    return this.#pos;
  }

  notify(): void {
    for (const wake of [...this.#waiters]) wake();
  }

  /** Resolves true at the next notify, false after `timeoutMs` or when `signal` aborts. */
  wait(timeoutMs: number, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const finish = (woken: boolean): void => {
        cancel();
        this.#waiters.delete(wake);
        signal.removeEventListener('abort', abort);
        resolve(woken);
      };
      const wake = (): void => finish(true);
      const abort = (): void => finish(false);
      const cancel = this.#clock.after(timeoutMs, () => finish(false));
      if (signal.aborted) {
        finish(false);
        return;
      }
      this.#waiters.add(wake);
      signal.addEventListener('abort', abort);
    });
  }
}
