import type { Bin } from './bins.ts';
import type { Metric } from './metrics.ts';

/** `latest 87 %, lowest 61 %, highest 99 %` */
export function summary(metric: Metric, bins: readonly Bin[]): string {
  const written = (value: number): string => `${value.toFixed(metric.decimals)} ${metric.unit}`;
  const last = bins.at(-1);
  if (last === undefined) return 'no data';
  const low = Math.min(...bins.map(({ min }) => min));
  const high = Math.max(...bins.map(({ max }) => max));
  return `latest ${written(last.mean)}, lowest ${written(low)}, highest ${written(high)}`;
}
