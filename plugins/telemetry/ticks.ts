/** Marks on the axes. */

export interface Tick {
  readonly value: number;
  readonly label: string;
}

/** About `wanted` round values (steps of 1, 2, 2.5 or 5) around the data; never one only. */
export function valueTicks(low: number, high: number, wanted: number): Tick[] {
  const spread = high - low || Math.max(Math.abs(high) * 0.1, 1);
  const rough = spread / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 2.5, 5, 10].find((one) => one * power >= rough) ?? 10) * power;
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(Math.ceil(high / step - 1e-9), first + 1);
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) + (String(step / power).includes('.') ? 1 : 0);
  return Array.from({ length: last - first + 1 }, (_, index) => {
    const value = (first + index) * step;
    return { value, label: value.toFixed(decimals).replace(/^-(0(?:\.0+)?)$/, '$1') };
  });
}

const HOUR_MS = 3_600_000;
const STEPS_H = [1, 2, 3, 6, 12, 24, 48] as const;

export interface TimeTick {
  readonly timeMs: number;
  /** `14:00`; at midnight and over several days `Sat 21`. */
  readonly label: string;
  readonly midnight: boolean;
}

/** Whole hours of the zone, at most `wanted` of them. Works on days with 23 or 25 hours: each hour is asked for its name. */
export function timeTicks(
  fromMs: number,
  toMs: number,
  options: { readonly timeZone: string; readonly wanted: number },
): TimeTick[] {
  const step = STEPS_H.find((hours) => (toMs - fromMs) / (hours * HOUR_MS) <= options.wanted) ?? 48;
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone: options.timeZone,
    hourCycle: 'h23',
    weekday: 'short',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  });
  const ticks: TimeTick[] = [];
  const quarter = HOUR_MS / 4;
  let days = 0;
  // Zones are off by quarters of an hour at the finest.
  for (let timeMs = Math.ceil(fromMs / quarter) * quarter; timeMs <= toMs; timeMs += quarter) {
    const named = new Map(parts.formatToParts(timeMs).map(({ type, value }) => [type, value]));
    if (named.get('minute') !== '00') continue;
    const hour = Number(named.get('hour'));
    if (hour % Math.min(step, 24) !== 0) continue;
    const midnight = hour === 0;
    if (midnight) days += 1;
    if (step === 48 && days % 2 === 0) continue;
    const label = midnight ? `${named.get('weekday')} ${named.get('day')}` : `${named.get('hour')}:00`;
    ticks.push({ timeMs, label, midnight });
  }
  return ticks;
}
