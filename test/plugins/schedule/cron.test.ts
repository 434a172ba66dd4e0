import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Cron, nextCron, parseCron } from '../../../src/plugins/schedule/cron.ts';
import { Scheduler } from '../../../src/plugins/schedule/scheduler.ts';
import { timingOf } from '../../../src/plugins/schedule/timing.ts';
import { ManualClock } from '../../../src/util/manual-clock.ts';

const MINUTE_MS = 60_000;

function next(expression: string, after: string, zone = 'UTC'): string | null {
  const cron = parseCron(expression);
  if (cron === null) throw new Error(`not read: ${expression}`);
  const atMs = nextCron(cron, Date.parse(after), zone);
  return atMs === null ? null : new Date(atMs).toISOString();
}

/** Whether the expression names this minute of UTC: the rule by the book, without the leaps of `nextCron`. */
function isNamed({ minutes, hours, days, months, weekdays, eitherDay }: Cron, minuteMs: number): boolean {
  const at = new Date(minuteMs);
  const [isDay, isWeekday] = [days.has(at.getUTCDate()), weekdays.has(at.getUTCDay())];
  const isToday = months.has(at.getUTCMonth() + 1) && (eitherDay ? isDay || isWeekday : isDay && isWeekday);
  return isToday && hours.has(at.getUTCHours()) && minutes.has(at.getUTCMinutes());
}

describe('cron', () => {
  it.each([
    ['0 8 * * *', '2026-11-21T08:00:00Z', '2026-11-22T08:00:00.000Z'],
    ['*/15 * * * *', '2026-11-21T08:14:59Z', '2026-11-21T08:15:00.000Z'],
    ['30 6 * * mon-fri', '2026-11-21T00:00:00Z', '2026-11-23T06:30:00.000Z'],
    ['0 0 29 feb *', '2026-11-21T00:00:00Z', '2028-02-29T00:00:00.000Z'],
    ['0 0 13 * 5', '2026-11-21T00:00:00Z', '2026-11-27T00:00:00.000Z'],
    ['5/20 3 1 1,7 *', '2026-11-21T00:00:00Z', '2027-01-01T03:05:00.000Z'],
    ['0 12 * * 7', '2026-11-21T00:00:00Z', '2026-11-22T12:00:00.000Z'],
    ['@hourly', '2026-11-21T08:00:00Z', '2026-11-21T09:00:00.000Z'],
    ['0 0 30 2 *', '2026-11-21T00:00:00Z', null],
  ])('%s after %s', (expression, after, expected) => {
    expect(next(expression, after)).toBe(expected);
  });

  it('follows the clocks of its zone', () => {
    // Berlin: 29 March 2026 has no 02:30; 25 October has it twice.
    expect(next('30 2 * * *', '2026-03-28T12:00:00Z', 'Europe/Berlin')).toBe('2026-03-29T01:00:00.000Z');
    expect(next('30 2 * * *', '2026-10-24T12:00:00Z', 'Europe/Berlin')).toBe('2026-10-25T00:30:00.000Z');
    expect(next('30 2 * * *', '2026-10-25T00:30:00Z', 'Europe/Berlin')).toBe('2026-10-26T01:30:00.000Z');
    expect(next('0 8 * * *', '2026-11-21T00:00:00Z', 'Asia/Kathmandu')).toBe('2026-11-21T02:15:00.000Z');
  });

  it.each([
    '',
    '* * * *',
    '60 * * * *',
    '* 24 * * *',
    '5-1 * * * *',
    '*/0 * * * *',
    'x * * * *',
    '* * * * mon-8',
    '1,,2 * * * *',
  ])('refuses %j', (expression) => {
    expect(parseCron(expression)).toBeNull();
  });

  it('finds the very next minute that matches, for any expression', () => {
    const part = (min: number, max: number): fc.Arbitrary<string> =>
      fc.oneof(
        fc.constant('*'),
        fc.integer({ min, max }).map(String),
        fc
          .tuple(fc.integer({ min, max }), fc.integer({ min, max }))
          .map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`),
        fc.integer({ min: 1, max: 30 }).map((step) => `*/${step}`),
      );
    const expressions = fc.tuple(part(0, 59), part(0, 23), part(1, 28), fc.constant('*'), part(0, 6));
    const moments = fc.integer({ min: Date.UTC(2020, 0), max: Date.UTC(2030, 0) });
    fc.assert(
      fc.property(expressions, moments, (fields, afterMs) => {
        const cron = parseCron(fields.join(' '));
        if (cron === null) throw new Error(`not read: ${fields.join(' ')}`);
        const found = nextCron(cron, afterMs, 'UTC');
        let minute = Math.floor(afterMs / MINUTE_MS) * MINUTE_MS + MINUTE_MS;
        while (!isNamed(cron, minute)) minute += MINUTE_MS;
        expect(found).toBe(minute);
      }),
      { numRuns: 100 },
    );
  });
});

describe('the timing of a job', () => {
  const NONE = { every: null, cron: null };
  const at = (configured: Parameters<typeof timingOf>[1], after: string): string | null => {
    const timing = timingOf(NONE, configured, 'UTC');
    if (typeof timing !== 'function') throw new Error(timing.problem);
    const atMs = timing(Date.parse(after));
    return atMs === null ? null : new Date(atMs).toISOString();
  };

  it('comes from the configuration where the job has none', () => {
    const hourMs = 3_600_000;
    expect(at(null, '2026-11-21T08:10:00Z')).toBeNull();
    expect(at({ everyMs: 2 * hourMs, at: null }, '2026-11-21T08:10:00Z')).toBe('2026-11-21T10:10:00.000Z');
    expect(at({ everyMs: 2 * hourMs, at: ':30' }, '2026-11-21T08:10:00Z')).toBe('2026-11-21T09:30:00.000Z');
    expect(at({ everyMs: 2 * hourMs, at: ':30' }, '2026-11-21T09:30:00Z')).toBe('2026-11-21T11:30:00.000Z');
    expect(at({ everyMs: 5 * MINUTE_MS, at: ':20' }, '2026-11-21T08:10:30Z')).toBe('2026-11-21T08:15:20.000Z');
    expect(at({ everyMs: null, at: '06:30' }, '2026-11-21T08:10:00Z')).toBe('2026-11-22T06:30:00.000Z');
  });

  it('a mistake is a problem in words', () => {
    expect(timingOf({ every: '10ms', cron: null }, null, 'UTC')).toEqual({
      problem: '"10ms" is no time of a second or more',
    });
    expect(timingOf({ every: null, cron: 'often' }, null, 'UTC')).toEqual({ problem: '"often" is no cron expression' });
    expect(timingOf(NONE, { everyMs: 3_600_000, at: 'noon' }, 'UTC')).toHaveProperty('problem');
  });
});

describe('the scheduler', () => {
  it('runs by the clock, never beside itself, and leaves no timer behind', async () => {
    const clock = new ManualClock(Date.parse('2026-11-21T08:00:00Z'));
    const scheduler = new Scheduler(clock);
    const timing = timingOf({ every: '10s', cron: null }, null, 'UTC');
    if (typeof timing !== 'function') throw new Error(timing.problem);
    const runs: number[] = [];
    let release = (): void => undefined;
    scheduler.add({
      timing,
      run: () => {
        runs.push(clock.now());
        return new Promise<void>((resolve) => {
          release = resolve;
        });
      },
    });
    await clock.advance(35_000);
    expect(runs).toHaveLength(1);
    release();
    await clock.advance(10_000);
    expect(runs).toHaveLength(2);
    scheduler.stop();
    release();
    await clock.advance(60_000);
    expect([runs.length, clock.pending()]).toEqual([2, 0]);
  });
});
