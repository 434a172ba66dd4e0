/** From records to the points of a line. */

import { mean } from '../shared/numbers.ts';
import type { ShownMetric } from './metrics.ts';
import type { TelemetryRecord } from './records.ts';

export interface Bin {
  /** Middle of the bin. */
  readonly timeMs: number;
  readonly mean: number;
  readonly min: number;
  readonly max: number;
  readonly count: number;
}

export interface Series {
  readonly fromMs: number;
  readonly toMs: number;
  readonly binMs: number;
  /** null where nothing was heard: the line has a gap there. */
  readonly bins: readonly (Bin | null)[];
}

const HOUR_MS = 3_600_000;
/** Points of a line that can still be told apart. */
const MAX_BINS = 60;
const BIN_HOURS = [1, 2, 3, 6, 12, 24] as const;

/** Hourly bins ending now; wider ones for long spans. */
export function binRecords(
  records: readonly TelemetryRecord[],
  metric: ShownMetric,
  span: { readonly nowMs: number; readonly spanMs: number },
): Series {
  const hours = BIN_HOURS.find((one) => span.spanMs / (one * HOUR_MS) <= MAX_BINS) ?? 24;
  const binMs = hours * HOUR_MS;
  const count = Math.max(1, Math.ceil(span.spanMs / binMs));
  const fromMs = span.nowMs - count * binMs;
  const values: number[][] = Array.from({ length: count }, () => []);
  for (const { time, values: read } of records) {
    const value = read[metric.key];
    // A node whose clock runs ahead a little still belongs to the last bin.
    const index = Math.min(
      Math.floor((time * 1000 - fromMs) / binMs),
      time * 1000 <= span.nowMs + HOUR_MS ? count - 1 : count,
    );
    if (value !== undefined && index >= 0)
      values[index]?.push(Math.min(metric.convert(value), metric.range?.[1] ?? Number.POSITIVE_INFINITY));
  }
  const bins = values.map((inBin, index) => (inBin.length === 0 ? null : binOf(inBin, fromMs + (index + 0.5) * binMs)));
  return { fromMs, toMs: span.nowMs, binMs, bins };
}

function binOf(values: readonly number[], timeMs: number): Bin {
  return { timeMs, mean: mean(values), min: Math.min(...values), max: Math.max(...values), count: values.length };
}
