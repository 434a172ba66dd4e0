import type { Clock } from '../../util/clock.ts';
import type { RelayError } from '../../util/relay-error.ts';

export interface OpeningOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** What to say when the time is up. */
  readonly timeoutText: () => string;
  /** Makes the error out of a reason. */
  readonly unreachable: (why: string) => RelayError;
}

/**
 * The opening of a link that takes several steps: ends at once when cancelled, timed out or failed, whatever the step
 * under way does later. One per transport, used once. The steps get a signal and must undo themselves when it aborts.
 */
export class Opening {
  readonly #options: OpeningOptions;
  readonly #abort = new AbortController();
  #why = '';

  constructor(options: OpeningOptions) {
    this.#options = options;
  }

  /** Ends the opening; the first reason is the one told. Means nothing afterwards. */
  cancel(why: string): void {
    if (this.#abort.signal.aborted) return;
    this.#why = why;
    this.#abort.abort();
  }

  /** @throws RelayError by `unreachable`, or whatever `steps` throws */
  async run(outer: AbortSignal, steps: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { clock, timeoutMs, timeoutText, unreachable } = this.#options;
    const { signal } = this.#abort;
    const onOuter = (): void => this.cancel('cancelled');
    if (outer.aborted) onOuter();
    outer.addEventListener('abort', onOuter, { once: true });
    const cancelTimeout = clock.after(timeoutMs, () => this.cancel(timeoutText()));
    try {
      await new Promise<void>((resolve, reject) => {
        const giveUp = (): void => reject(unreachable(this.#why));
        if (signal.aborted) {
          giveUp();
          return;
        }
        signal.addEventListener('abort', giveUp, { once: true });
        steps(signal).then(resolve, reject);
      });
      if (signal.aborted) throw unreachable(this.#why);
    } catch (error) {
      this.cancel('failed');
      throw error;
    } finally {
      cancelTimeout();
      outer.removeEventListener('abort', onOuter);
    }
  }
}
