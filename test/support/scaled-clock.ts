import { type Clock, systemClock } from '../../src/util/clock.ts';

/**
 * The system clock run faster: both sides that share `factor` and `originMs` agree on the time, in one process or in
 * several, and every rule that counts milliseconds (pacing, backoff, time on air) stays true among them.
 */
export function scaledClock(factor: number, originMs: number): Clock {
  return {
    now: () => originMs + (Date.now() - originMs) * factor,
    monotonic: () => performance.now() * factor,
    after: (delayMs, callback, options) => systemClock.after(delayMs / factor, callback, options),
  };
}
