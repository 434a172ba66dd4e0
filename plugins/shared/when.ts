/** Moments and durations in words. */

const MINUTE_S = 60;
const HOUR_S = 3600;
const DAY_S = 86_400;

function plural(count: number, unit: string): string {
  return `${count} ${unit}${count === 1 ? '' : 's'} ago`;
}

/** `Just now`, `5 minutes ago`, ... and a date beyond seven days; `?` for a moment nobody knows. Seconds since 1970. */
export function relativeTime(timeS: number, nowS: number, timeZone: string): string {
  if (!Number.isFinite(timeS) || timeS <= 0) return '?';
  const ageS = Math.trunc(nowS - timeS);
  if (ageS > 7 * DAY_S) return longDate(timeS, timeZone);
  if (ageS >= DAY_S) return plural(Math.floor(ageS / DAY_S), 'day');
  if (ageS >= HOUR_S) return plural(Math.floor(ageS / HOUR_S), 'hour');
  if (ageS >= MINUTE_S) return plural(Math.floor(ageS / MINUTE_S), 'minute');
  return 'Just now';
}

/** `Jan 05, 2025` (strftime `%b %d, %Y` in the C locale). */
function longDate(timeS: number, timeZone: string): string {
  return new Intl.DateTimeFormat('en-US', { timeZone, month: 'short', day: '2-digit', year: 'numeric' }).format(
    timeS * 1000,
  );
}

/** `now`, `5m`, `3h`, `2d`: for the mesh. `?` for a moment nobody knows. */
export function shortAge(timeS: number, nowS: number): string {
  return Number.isFinite(timeS) && timeS > 0 ? shortDuration(Math.max(nowS - timeS, 0) * 1000) : '?';
}

/** `now` below a minute, else the largest unit. */
export function shortDuration(durationMs: number): string {
  const seconds = durationMs / 1000;
  if (seconds < MINUTE_S) return 'now';
  if (seconds < HOUR_S) return `${Math.floor(seconds / MINUTE_S)}m`;
  if (seconds < DAY_S) return `${Math.floor(seconds / HOUR_S)}h`;
  return `${Math.floor(seconds / DAY_S)}d`;
}

/** `45 s`, `12 min`, `3 h 5 min`, `2 d 4 h`: for rooms. */
export function longDuration(durationMs: number): string {
  const seconds = Math.round(durationMs / 1000);
  if (seconds < MINUTE_S) return `${seconds} s`;
  if (seconds < HOUR_S) return `${Math.round(seconds / MINUTE_S)} min`;
  const [big, small, bigUnit, smallUnit] =
    seconds < DAY_S
      ? [Math.floor(seconds / HOUR_S), Math.floor((seconds % HOUR_S) / MINUTE_S), 'h', 'min']
      : [Math.floor(seconds / DAY_S), Math.floor((seconds % DAY_S) / HOUR_S), 'd', 'h'];
  return small === 0 ? `${big} ${bigUnit}` : `${big} ${bigUnit} ${small} ${smallUnit}`;
}
