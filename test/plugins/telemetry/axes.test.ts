import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { binRecords } from '../../../plugins/telemetry/bins.ts';
import { inUnits, METRICS } from '../../../plugins/telemetry/metrics.ts';
import { readRecords } from '../../../plugins/telemetry/records.ts';
import { parseRequest } from '../../../plugins/telemetry/request.ts';
import { timeTicks, valueTicks } from '../../../plugins/telemetry/ticks.ts';

const HOUR_MS = 3_600_000;

describe('value axis', () => {
  it('covers the data with a few marks whose labels differ', () => {
    const value = fc.double({ min: -1000, max: 1000, noNaN: true });
    fc.assert(
      fc.property(value, fc.double({ min: 0, max: 1000, noNaN: true }), (low, spread) => {
        const high = low + (spread < 0.01 ? 0 : spread);
        const ticks = valueTicks(low, high, 6);
        expect(ticks.length).toBeGreaterThanOrEqual(2);
        expect(ticks.length).toBeLessThanOrEqual(9);
        const slack = 1e-6 * Math.max(1, Math.abs(high - low));
        expect(ticks[0]!.value).toBeLessThanOrEqual(low + slack);
        expect(ticks.at(-1)!.value).toBeGreaterThanOrEqual(high - slack);
        expect(new Set(ticks.map(({ label }) => label)).size).toBe(ticks.length);
      }),
    );
  });

  it.each([
    [0, 100, ['0', '20', '40', '60', '80', '100']],
    [3.4, 4.05, ['3.4', '3.6', '3.8', '4.0', '4.2']],
    [-8, 4, ['-8', '-6', '-4', '-2', '0', '2', '4']],
    [1011.2, 1015.2, ['1011', '1012', '1013', '1014', '1015', '1016']],
  ])('%f to %f', (low, high, labels) => {
    expect(valueTicks(low, high, 6).map(({ label }) => label)).toEqual(labels);
  });
});

describe('time axis', () => {
  const labels = (from: string, hours: number, timeZone: string): string[] => {
    const fromMs = Date.parse(from);
    return timeTicks(fromMs, fromMs + hours * HOUR_MS, { timeZone, wanted: 13 }).map(({ label }) => label);
  };

  it('has whole hours of the zone', () => {
    expect(labels('2026-11-21T00:20:00Z', 4, 'Europe/Berlin')).toEqual(['02:00', '03:00', '04:00', '05:00']);
    expect(labels('2026-11-21T00:20:00Z', 3, 'Asia/Kathmandu')).toEqual(['07:00', '08:00', '09:00']);
  });

  it('names the day at midnight, and days over a week', () => {
    expect(labels('2026-11-20T21:30:00Z', 4, 'Europe/Berlin')).toEqual(['23:00', 'Sat 21', '01:00', '02:00']);
    expect(labels('2026-11-14T12:00:00Z', 168, 'UTC')).toEqual([
      'Sun 15',
      'Mon 16',
      'Tue 17',
      'Wed 18',
      'Thu 19',
      'Fri 20',
      'Sat 21',
    ]);
  });

  it('goes over a day of 25 hours', () => {
    expect(labels('2026-10-24T22:30:00Z', 5, 'Europe/Berlin')).toEqual(['01:00', '02:00', '02:00', '03:00', '04:00']);
  });
});

describe('records', () => {
  it('skips what is none, and values no sensor can have', () => {
    const rows = [
      null,
      7,
      [],
      { time: 'x' },
      { time: 5, batteryLevel: 500, voltage: 3.9, humidity: '50', pressure: null },
    ];
    expect(readRecords(rows)).toEqual([{ time: 5, values: { voltage: 3.9 } }]);
    expect(readRecords({ time: 5, temperature: -4 })).toEqual([{ time: 5, values: { temperature: -4 } }]);
  });

  it('fall into bins that end now; empty ones are gaps', () => {
    const nowMs = 100 * HOUR_MS;
    const records = [98.5, 99.5, 99.6, 100.4, 80, 150].map((hour) => ({
      time: hour * 3600,
      values: { voltage: hour },
    }));
    const { bins } = binRecords(records, inUnits(METRICS[1], 'metric'), { nowMs, spanMs: 3 * HOUR_MS });
    expect(bins.map((bin) => bin && [bin.count, bin.min, bin.max])).toEqual([null, [1, 98.5, 98.5], [3, 99.5, 100.4]]);
  });
});

it.each([
  ['', '', 12],
  ['24h', '', 24],
  ['7d alfa', 'alfa', 168],
  ['My Node 3D', 'My Node', 72],
  ['!deadbeef 99d', '!deadbeef', 168],
  ['0h', '', 1],
])('request "%s"', (text, node, hours) => {
  expect(parseRequest(text)).toEqual({ node, spanMs: hours * HOUR_MS });
});
