import { type Clock, sleep } from '../util/clock.ts';
import type { Logger } from '../util/logger.ts';
import { errorText, RelayError } from '../util/relay-error.ts';
import { Waker } from '../util/waker.ts';

export interface GuardedLoopOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** One round; it waits by `wait`, so that work ends the waiting and a loop that is stuck can be told from one that rests. */
  readonly step: () => Promise<void>;
  /** A failure that no waiting mends (a corrupt store, a bug): the daemon ends and says so. */
  readonly onFatal: (error: unknown) => void;
}

const TROUBLE_WAIT_MS = 5_000;

/**
 * Makes one step after the other until it is stopped. One for the inbox and one per lane; holds what it sleeps by. A
 * failure that may pass (a full disk, a busy database) is logged and waited out, because the rows are still there; any
 * other ends the loop and is handed up.
 */
export class GuardedLoop {
  readonly #options: GuardedLoopOptions;
  readonly #waker: Waker;
  readonly #abort = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(options: GuardedLoopOptions) {
    this.#options = options;
    this.#waker = new Waker(options.clock);
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Resolves when the step under way has ended. */
  async stop(): Promise<void> {
    this.#abort.abort();
    this.#waker.wake();
    await this.#running;
  }

  get isStopping(): boolean {
    return this.#abort.signal.aborted;
  }

  /** There is work. */
  wake(): void {
    this.#waker.wake();
  }

  /** For the step: until there is work, or this much time has passed. */
  async wait(maxMs: number): Promise<void> {
    await this.#waker.wait(maxMs);
  }

  /** For how long it has owed its next step; waiting for a retry, for the pace or for the other side is no debt. */
  overdueMs(): number {
    return this.#waker.overdueMs();
  }

  async #run(): Promise<void> {
    const { clock, logger, name, step, onFatal } = this.#options;
    while (!this.isStopping) {
      this.#waker.moved();
      try {
        await step();
      } catch (error) {
        if (this.isStopping) return;
        if (!(error instanceof RelayError) || error.retry.kind === 'never') {
          onFatal(error);
          return;
        }
        logger.error('The store refuses to write; waiting', { loop: name, code: error.code, error: errorText(error) });
        await sleep(clock, TROUBLE_WAIT_MS, this.#abort.signal);
      }
    }
  }
}
