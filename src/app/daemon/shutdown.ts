import { type Clock, sleep } from '../../util/clock.ts';
import type { Logger } from '../../util/logger.ts';
import { errorText } from '../../util/relay-error.ts';

export interface ShutdownOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly stop: () => Promise<unknown>;
  /** A second signal does not wait. */
  readonly impatient: AbortSignal;
}

/** With what comes before and after it, a stop stays below 10 s; containers give 30 s, systemd 90 s, and a person less. */
const DEADLINE_MS = 8_000;

/** Stops within the deadline. @returns false when something had to be left behind; nothing is lost by that. */
export async function shutDown({ clock, logger, stop, impatient }: ShutdownOptions): Promise<boolean> {
  const stopped = stop().then(
    () => true,
    (error: unknown) => {
      logger.error('Stopping failed', { error: errorText(error) });
      return false;
    },
  );
  const done = new AbortController();
  const late = sleep(clock, DEADLINE_MS, AbortSignal.any([impatient, done.signal])).then(() => false);
  const clean = await Promise.race([stopped, late]);
  done.abort();
  if (!clean) logger.warn('Not everything stopped in time; what is undelivered is in the store');
  return clean;
}
