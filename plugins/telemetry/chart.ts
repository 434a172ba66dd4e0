/** The chart as SVG. */

import type { Font } from '../shared/font.ts';
import { FONT_FAMILY } from '../shared/raster.ts';
import { element, px, textAt } from '../shared/svg.ts';
import type { Bin, Series } from './bins.ts';
import type { Metric } from './metrics.ts';
import { summary } from './summary.ts';
import { type Tick, type TimeTick, timeTicks, valueTicks } from './ticks.ts';

export interface ChartOptions {
  readonly title: string;
  readonly metric: Metric;
  readonly series: Series;
  readonly timeZone: string;
  readonly font: Font;
}

export const CHART_WIDTH = 1000;
export const CHART_HEIGHT = 560;

const LINE = '#1f6fb2';
const INK = '#222';
const FAINT = '#5b6770';
const GRID = '#dfe4e8';
const TOP_PX = 64;
const BOTTOM_PX = 58;
const RIGHT_PX = 28;

interface Plot {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  x(timeMs: number): number;
  y(value: number): number;
}

/** Line of means with gaps, a band from the least to the greatest value of each bin, and the latest value in figures. */
export function drawChart(options: ChartOptions): string {
  const { metric, series, font, timeZone } = options;
  const bins = series.bins.filter((bin) => bin !== null);
  const [low, high] = valueRange(metric, bins);
  const ticks = valueTicks(low, high, 6);
  const widest = Math.max(...ticks.map(({ label }) => font.width(label, 13)));
  const plot = plotOf(series, ticks, 42 + widest);
  const times = timeTicks(series.fromMs, series.toMs, { timeZone, wanted: 13 });
  const body = [
    element('rect', { width: CHART_WIDTH, height: CHART_HEIGHT, fill: '#fff' }),
    heading(options, bins),
    ...ticks.map((tick) => valueLine(plot, tick)),
    ...times.map((tick) => timeLine(plot, tick)),
    ...axisTitles(plot, options),
    bins.length === 0 ? empty(plot) : lines(plot, series),
  ];
  const size = { width: CHART_WIDTH, height: CHART_HEIGHT, viewBox: `0 0 ${CHART_WIDTH} ${CHART_HEIGHT}` };
  return element('svg', { xmlns: 'http://www.w3.org/2000/svg', ...size, 'font-family': FONT_FAMILY }, body.join(''));
}

function valueRange(metric: Metric, bins: readonly Bin[]): readonly [number, number] {
  if (metric.range !== null) return metric.range;
  if (bins.length === 0) return [0, 1];
  const low = Math.min(...bins.map(({ min }) => min));
  const high = Math.max(...bins.map(({ max }) => max));
  const least = 4 * 10 ** -metric.decimals;
  const pad = Math.max((high - low) * 0.05, (least - (high - low)) / 2);
  return [low >= 0 ? Math.max(0, low - pad) : low - pad, high + pad];
}

function plotOf(series: Series, ticks: readonly Tick[], left: number): Plot {
  const right = CHART_WIDTH - RIGHT_PX;
  const bottom = CHART_HEIGHT - BOTTOM_PX;
  const low = ticks[0]?.value ?? 0;
  const high = ticks.at(-1)?.value ?? 1;
  return {
    left,
    right,
    top: TOP_PX,
    bottom,
    x: (timeMs) => left + ((timeMs - series.fromMs) / (series.toMs - series.fromMs)) * (right - left),
    y: (value) => bottom - ((value - low) / (high - low)) * (bottom - TOP_PX),
  };
}

function heading({ title, metric, font }: ChartOptions, bins: readonly Bin[]): string {
  const size = Math.min(20, (20 * (CHART_WIDTH - 60)) / font.width(title, 22));
  const figures = bins.length === 0 ? '' : summary(metric, bins);
  return (
    textAt(24, 30, title, { 'font-size': size, 'font-weight': 'bold', fill: INK }) +
    textAt(24, 50, figures, { 'font-size': 13, fill: FAINT })
  );
}

function valueLine(plot: Plot, { value, label }: Tick): string {
  const y = Math.round(plot.y(value)) + 0.5;
  return (
    element('path', { d: `M${px(plot.left)} ${y}H${plot.right}`, stroke: GRID, 'stroke-width': 1 }) +
    textAt(plot.left - 8, y + 4.5, label, { 'font-size': 13, 'text-anchor': 'end', fill: INK })
  );
}

function timeLine(plot: Plot, { timeMs, label, midnight }: TimeTick): string {
  const x = Math.round(plot.x(timeMs)) + 0.5;
  const stroke = midnight ? '#b4bec6' : GRID;
  const weight = midnight ? 'bold' : 'normal';
  const style = { 'font-size': 13, 'text-anchor': 'middle', 'font-weight': weight, fill: INK };
  return (
    element('path', { d: `M${x} ${plot.top}V${plot.bottom + 5}`, stroke, 'stroke-width': 1 }) +
    textAt(x, plot.bottom + 21, label, style)
  );
}

function axisTitles(plot: Plot, { metric, timeZone }: ChartOptions): string[] {
  const middle = (plot.top + plot.bottom) / 2;
  const style = { 'font-size': 13, 'text-anchor': 'middle', fill: FAINT };
  return [
    textAt((plot.left + plot.right) / 2, CHART_HEIGHT - 12, `Hour (${timeZone})`, style),
    textAt(20, middle, `${metric.label} [${metric.unit}]`, { ...style, transform: `rotate(-90 20 ${px(middle)})` }),
    element('path', {
      d: `M${px(plot.left)} ${plot.top}V${plot.bottom}H${plot.right}`,
      stroke: '#7b8790',
      fill: 'none',
    }),
  ];
}

function empty(plot: Plot): string {
  const style = { 'font-size': 18, 'text-anchor': 'middle', fill: FAINT };
  return textAt((plot.left + plot.right) / 2, (plot.top + plot.bottom) / 2, 'No data in this time', style);
}

function lines(plot: Plot, series: Series): string {
  return runs(series)
    .map((run) => {
      const along = (pick: (bin: Bin) => number, bins: readonly Bin[]): string =>
        bins.map((bin) => `${px(plot.x(bin.timeMs))} ${px(plot.y(pick(bin)))}`).join('L');
      const d = along(({ mean }) => mean, run);
      const band = `M${along(({ max }) => max, run)}L${along(({ min }) => min, [...run].reverse())}Z`;
      return [
        run.length > 1 ? element('path', { d: band, fill: LINE, 'fill-opacity': 0.14 }) : '',
        run.length > 1
          ? element('path', { d: `M${d}`, fill: 'none', stroke: LINE, 'stroke-width': 2.5, 'stroke-linejoin': 'round' })
          : '',
        ...run.map((bin) => element('circle', { cx: plot.x(bin.timeMs), cy: plot.y(bin.mean), r: 3.5, fill: LINE })),
      ].join('');
    })
    .join('');
}

/** Stretches without a gap. */
function runs(series: Series): Bin[][] {
  const found: Bin[][] = [[]];
  for (const bin of series.bins) {
    if (bin === null) found.push([]);
    else found.at(-1)?.push(bin);
  }
  return found.filter((run) => run.length > 0);
}
