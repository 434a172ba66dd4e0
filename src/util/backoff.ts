/** Full jitter over an exponential ceiling: min(cap, base * 2^attempt) * random. All milliseconds. */
export interface BackoffRange {
  readonly baseMs: number;
  readonly capMs: number;
}

/**
 * Delay before try number `attempt` + 1 (`attempt` counts failures, from 0). Never below `baseMs` / 2, so that a
 * lucky draw cannot become a tight loop.
 * @param random a value in [0, 1), passed in so that tests decide
 */
export function fullJitter(attempt: number, range: BackoffRange, random: number): number {
  const ceilingMs = Math.min(range.capMs, range.baseMs * 2 ** Math.min(attempt, 30));
  return Math.max(range.baseMs / 2, Math.round(ceilingMs * random));
}
