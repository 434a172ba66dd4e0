import { type Clock, sleep } from '../util/clock.ts';
import type { Logger } from '../util/logger.ts';
import { errorText, RelayError } from '../util/relay-error.ts';
import type { Waker } from '../util/waker.ts';

export interface GuardedLoopOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** What the loop sleeps by; it learns of each step, so that somebody can see a loop that is stuck. */
  readonly waker: Waker;
  /** A failure that no waiting mends (a corrupt store, a bug): the daemon ends and says so. */
  readonly onFatal: (error: unknown) => void;
}

const TROUBLE_WAIT_MS = 5_000;

/**
 * Runs `step` again and again until the signal aborts. A failure that may pass (a full disk, a busy database) is
 * logged and waited out, because the rows are still there; any other ends the loop and is handed up.
 */
export async function guardedLoop(options: GuardedLoopOptions, step: () => Promise<void>): Promise<void> {
  const { signal, clock, logger, name, waker } = options;
  while (!signal.aborted) {
    waker.moved();
    try {
      await step();
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof RelayError) || error.retry.kind === 'never') {
        options.onFatal(error);
        return;
      }
      logger.error('The store refuses to write; waiting', { loop: name, code: error.code, error: errorText(error) });
      await sleep(clock, TROUBLE_WAIT_MS, signal);
    }
  }
}
