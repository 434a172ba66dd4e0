import { parseDuration } from '../../util/duration.ts';
import { nextCron, parseCron } from './cron.ts';

/** When a job runs next, after a moment; null: never again. */
export type Timing = (afterMs: number) => number | null;

const MIN_EVERY_MS = 1_000;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

export interface ConfiguredSchedule {
  /** `MM:SS` or `:MM` within an hour, `:SS` within a minute, `HH:MM` alone: once a day. */
  readonly at: string | null;
  readonly everyMs: number | null;
}

/**
 * The timing of a job: its own, or the configured one when it has none. A wrong one gives the problem in words, so that
 * a typing mistake costs the job and not the plugin.
 */
export function timingOf(
  job: { readonly every: string | number | null; readonly cron: string | null },
  configured: ConfiguredSchedule | null,
  timeZone: string | null,
): Timing | { readonly problem: string } {
  if (job.cron !== null) {
    const cron = parseCron(job.cron);
    return cron === null
      ? { problem: `"${job.cron}" is no cron expression` }
      : (after) => nextCron(cron, after, timeZone);
  }
  if (job.every !== null) {
    const everyMs = typeof job.every === 'number' ? job.every : parseDuration(job.every);
    if (everyMs === null || !(everyMs >= MIN_EVERY_MS))
      return { problem: `"${job.every}" is no time of a second or more` };
    return (after) => after + everyMs;
  }
  return configuredTiming(configured, timeZone);
}

function configuredTiming(
  configured: ConfiguredSchedule | null,
  timeZone: string | null,
): Timing | { readonly problem: string } {
  if (configured === null) return () => null;
  const { at, everyMs } = configured;
  if (everyMs === null) return at === null ? () => null : dailyTiming(at, timeZone);
  if (everyMs < MIN_EVERY_MS) return { problem: 'schedule must be a second or more' };
  const phaseMs = at === null ? null : phaseOf(at, everyMs);
  if (phaseMs === undefined) return { problem: `schedule.at "${at}" must be MM:SS, :MM or :SS` };
  if (phaseMs === null) return (after) => after + everyMs;
  // Every N hours at minute M: the next moment at least (N - 1) units away that shows this minute.
  const unitMs = everyMs % HOUR_MS === 0 ? HOUR_MS : MINUTE_MS;
  return (after) => {
    const earliest = after + everyMs - unitMs;
    const start = Math.floor(earliest / unitMs) * unitMs + phaseMs;
    return start > earliest ? start : start + unitMs;
  };
}

function dailyTiming(at: string, timeZone: string | null): Timing | { readonly problem: string } {
  const match = /^(\d{1,2}):(\d{2})$/.exec(at.trim());
  const cron = match === null ? null : parseCron(`${Number(match[2])} ${Number(match[1])} * * *`);
  if (cron === null) return { problem: `schedule.at "${at}" must be HH:MM` };
  return (after) => nextCron(cron, after, timeZone);
}

/** Milliseconds into the hour or minute; null: seconds take no `at`; undefined: wrong. */
function phaseOf(at: string, everyMs: number): number | null | undefined {
  const match = /^(\d{1,2})?:(\d{2})$/.exec(at.trim());
  if (match === null) return undefined;
  const first = match[1] === undefined ? null : Number(match[1]);
  const second = Number(match[2]);
  if (second > 59 || (first ?? 0) > 59) return undefined;
  if (everyMs % HOUR_MS === 0) return first === null ? second * MINUTE_MS : first * MINUTE_MS + second * 1_000;
  if (everyMs % MINUTE_MS === 0) return second * 1_000;
  return null;
}
