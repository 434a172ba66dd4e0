/** A cron expression, read: which values each field takes. */
export interface Cron {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly days: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  /** 0 is Sunday. */
  readonly weekdays: ReadonlySet<number>;
  /** Both days and weekdays are given: then either is enough (POSIX crontab). */
  readonly eitherDay: boolean;
}

const SHORTHANDS: Readonly<Record<string, string>> = {
  '@hourly': '0 * * * *',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@weekly': '0 0 * * 0',
  '@monthly': '0 0 1 * *',
  '@yearly': '0 0 1 1 *',
};
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** 29 February may be eight years away. */
const HORIZON_MS = 9 * 366 * DAY_MS;

/** Reads five fields (minute hour day month weekday) or a shorthand; null when it is no cron expression. */
export function parseCron(text: string): Cron | null {
  const fields = (SHORTHANDS[text.trim().toLowerCase()] ?? text).trim().toLowerCase().split(/\s+/);
  const [minute, hour, day, month, weekday] = fields;
  if (fields.length !== 5 || weekday === undefined) return null;
  const minutes = parseField(minute ?? '', { min: 0, max: 59 });
  const hours = parseField(hour ?? '', { min: 0, max: 23 });
  const days = parseField(day ?? '', { min: 1, max: 31 });
  const months = parseField(month ?? '', { min: 1, max: 12, names: MONTHS });
  const weekdays = parseField(weekday, { min: 0, max: 7, names: WEEKDAYS });
  if (!minutes || !hours || !days || !months || !weekdays) return null;
  return {
    minutes,
    hours,
    days,
    months,
    weekdays: new Set([...weekdays].map((value) => value % 7)),
    eitherDay: !day?.startsWith('*') && !weekday.startsWith('*'),
  };
}

interface FieldRange {
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

/** `*`, `5`, `1-5`, every-15 with a star, `10-50/10`, `mon`, and lists of these. */
function parseField(text: string, range: FieldRange): Set<number> | null {
  const values = new Set<number>();
  for (const part of text.split(',')) {
    const match = /^(?:(\*)|([a-z]{3}|\d{1,2})(?:-([a-z]{3}|\d{1,2}))?)(?:\/(\d{1,2}))?$/.exec(part);
    if (match === null) return null;
    const [, all, first, last, stepText] = match;
    const step = stepText === undefined ? 1 : Number(stepText);
    const from = all === undefined ? readValue(first ?? '', range) : range.min;
    // `5/15` runs from 5 to the end.
    const open = all !== undefined || (last === undefined && stepText !== undefined);
    const to = open ? range.max : last === undefined ? from : readValue(last, range);
    if (from === null || to === null || from > to || step === 0) return null;
    for (let value = from; value <= to; value += step) values.add(value);
  }
  return values;
}

function readValue(text: string, { min, max, names }: FieldRange): number | null {
  const index = names?.indexOf(text) ?? -1;
  const value = index === -1 ? Number(text) : index + (min === 1 ? 1 : 0);
  return Number.isInteger(value) && value >= min && value <= max ? value : null;
}

/** `local` has the wall clock's fields in its UTC fields. */
function matchesDay({ days, months, weekdays, eitherDay }: Cron, local: Date): boolean {
  if (!months.has(local.getUTCMonth() + 1)) return false;
  const day = days.has(local.getUTCDate());
  const weekday = weekdays.has(local.getUTCDay());
  return eitherDay ? day || weekday : day && weekday;
}

/**
 * The first moment after `afterMs` that the expression names in the zone (null: the machine's); null when there is none
 * (30 February). A time that the clocks skip runs right after the gap; one that they show twice runs once, the first time.
 */
export function nextCron(cron: Cron, afterMs: number, timeZone: string | null): number | null {
  const offset = zoneOffset(timeZone);
  let local = floorMinute(afterMs + offset(afterMs)) + MINUTE_MS;
  const end = local + HORIZON_MS;
  while (local < end) {
    const date = new Date(local);
    if (!matchesDay(cron, date)) local = (Math.floor(local / DAY_MS) + 1) * DAY_MS;
    else if (!cron.hours.has(date.getUTCHours())) local = (Math.floor(local / 3_600_000) + 1) * 3_600_000;
    else if (!cron.minutes.has(date.getUTCMinutes())) local += MINUTE_MS;
    else {
      const atMs = toUtc(local, offset);
      // The second showing of a time that was shown before.
      if (atMs > afterMs) return atMs;
      local += MINUTE_MS;
    }
  }
  return null;
}

function floorMinute(ms: number): number {
  return Math.floor(ms / MINUTE_MS) * MINUTE_MS;
}

/** The earliest moment at which the zone's clocks show `local`; when they skip it, the end of the gap. */
function toUtc(local: number, offset: (atMs: number) => number): number {
  const before = offset(local - DAY_MS);
  const after = offset(local + DAY_MS);
  const first = local - Math.max(before, after);
  if (first + offset(first) === local) return first;
  const second = local - Math.min(before, after);
  if (second + offset(second) === local) return second;
  // Skipped: find the jump between the two.
  let low = first - Math.abs(after - before);
  let high = second + Math.abs(after - before);
  while (high - low > MINUTE_MS) {
    const middle = floorMinute((low + high) / 2);
    if (offset(middle) === before) low = middle;
    else high = middle;
  }
  return high;
}

/** Milliseconds the zone (null: the machine's) is ahead of UTC at a moment. */
function zoneOffset(timeZone: string | null): (atMs: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    ...(timeZone === null ? {} : { timeZone }),
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  return (atMs) => {
    const parts = new Map(format.formatToParts(atMs).map(({ type, value }) => [type, Number(value)]));
    const get = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
    const shown = Date.UTC(get('year'), get('month') - 1, get('day'), get('hour'), get('minute'), get('second'));
    return shown - Math.floor(atMs / 1_000) * 1_000;
  };
}
