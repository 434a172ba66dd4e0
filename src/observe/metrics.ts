/** A small Prometheus registry: counters, gauges and histograms with labels, and the text format 0.0.4. */

export type Labels = Readonly<Record<string, string>>;

export interface Counter {
  /** Adds 1, or `by` (never negative); 0 makes the series appear. */
  inc(labels?: Labels, by?: number): void;
}

export interface Gauge {
  set(value: number, labels?: Labels): void;
}

export interface Histogram {
  observe(value: number, labels?: Labels): void;
}

/** Series per metric: labels that come from outside (a plugin, a node) must not eat the memory. */
const MAX_SERIES = 500;
const OVERFLOW = 'other';

interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly render: () => string[];
}

/** Holds all metrics. One per daemon. */
export class MetricsRegistry {
  readonly #families = new Map<string, Family>();
  readonly #collectors: (() => void)[] = [];

  counter(name: string, help: string): Counter {
    const series = new SeriesMap(() => ({ value: 0 }));
    this.#add({ name, help, type: 'counter', render: () => renderValues(name, series) });
    return {
      inc: (labels = {}, by = 1) => {
        if (by >= 0) series.get(labels).value += by;
      },
    };
  }

  gauge(name: string, help: string): Gauge {
    const series = new SeriesMap(() => ({ value: 0 }));
    this.#add({ name, help, type: 'gauge', render: () => renderValues(name, series) });
    return {
      set: (value, labels = {}) => {
        series.get(labels).value = value;
      },
    };
  }

  /** @param buckets upper bounds, rising; +Inf is added */
  histogram(name: string, help: string, buckets: readonly number[]): Histogram {
    const series = new SeriesMap(() => ({ counts: buckets.map(() => 0), sum: 0, count: 0 }));
    this.#add({ name, help, type: 'histogram', render: () => renderHistogram(name, series, buckets) });
    return {
      observe: (value, labels = {}) => {
        const one = series.get(labels);
        one.sum += value;
        one.count += 1;
        for (const [index, bound] of buckets.entries()) {
          if (value <= bound) one.counts[index] = (one.counts[index] ?? 0) + 1;
        }
      },
    };
  }

  /** Called before each exposition, to set gauges whose value is looked up. */
  onCollect(collector: () => void): void {
    this.#collectors.push(collector);
  }

  /** The text a scraper reads. */
  render(): string {
    for (const collect of this.#collectors) collect();
    const lines = [...this.#families.values()].flatMap(({ name, help, type, render }) => [
      `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`,
      `# TYPE ${name} ${type}`,
      ...render(),
    ]);
    return `${lines.join('\n')}\n`;
  }

  #add(family: Family): void {
    if (!/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(family.name)) throw new TypeError(`not a metric name: ${family.name}`);
    if (this.#families.has(family.name)) throw new TypeError(`metric ${family.name} exists`);
    this.#families.set(family.name, family);
  }
}

class SeriesMap<T> {
  readonly #series = new Map<string, { readonly labels: Labels; readonly data: T }>();
  readonly #make: () => T;

  constructor(make: () => T) {
    this.#make = make;
  }

  get(labels: Labels): T {
    const key = labelText(labels);
    const found = this.#series.get(key);
    if (found !== undefined) return found.data;
    if (this.#series.size >= MAX_SERIES) {
      const other = Object.fromEntries(Object.keys(labels).map((name) => [name, OVERFLOW]));
      const overflow = this.#series.get(labelText(other));
      return overflow === undefined ? this.#insert(other) : overflow.data;
    }
    return this.#insert(labels);
  }

  entries(): Iterable<{ readonly labels: Labels; readonly data: T }> {
    return this.#series.values();
  }

  #insert(labels: Labels): T {
    const data = this.#make();
    this.#series.set(labelText(labels), { labels, data });
    return data;
  }
}

function renderValues(name: string, series: SeriesMap<{ value: number }>): string[] {
  return [...series.entries()].map(({ labels, data }) => `${name}${labelText(labels)} ${numberText(data.value)}`);
}

interface HistogramData {
  readonly counts: number[];
  sum: number;
  count: number;
}

function renderHistogram(name: string, series: SeriesMap<HistogramData>, buckets: readonly number[]): string[] {
  return [...series.entries()].flatMap(({ labels, data }) => [
    ...buckets.map((bound, index) => {
      return `${name}_bucket${labelText({ ...labels, le: numberText(bound) })} ${data.counts[index] ?? 0}`;
    }),
    `${name}_bucket${labelText({ ...labels, le: '+Inf' })} ${data.count}`,
    `${name}_sum${labelText(labels)} ${numberText(data.sum)}`,
    `${name}_count${labelText(labels)} ${data.count}`,
  ]);
}

function labelText(labels: Labels): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value);
}
