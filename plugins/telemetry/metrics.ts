/** The values one can ask a chart of. */

export interface Metric {
  /** The command, and the key in the stored records. */
  readonly key: string;
  readonly label: string;
  readonly unit: string;
  readonly decimals: number;
  /** Axis always from here to there; null: by the values. */
  readonly range: readonly [number, number] | null;
  /** Values outside are faults of a sensor, or marks such as 101 % for external power (shown as the limit). */
  readonly valid: readonly [number, number];
}

export const METRICS = [
  { key: 'batteryLevel', label: 'Battery', unit: '%', decimals: 0, range: [0, 100], valid: [0, 101] },
  { key: 'voltage', label: 'Voltage', unit: 'V', decimals: 2, range: null, valid: [0, 100] },
  { key: 'airUtilTx', label: 'Air utilisation (TX)', unit: '%', decimals: 1, range: null, valid: [0, 100] },
  { key: 'channelUtilization', label: 'Channel utilisation', unit: '%', decimals: 1, range: null, valid: [0, 100] },
  { key: 'temperature', label: 'Temperature', unit: '°C', decimals: 1, range: null, valid: [-100, 150] },
  { key: 'humidity', label: 'Humidity', unit: '%', decimals: 0, range: [0, 100], valid: [0, 100] },
  { key: 'pressure', label: 'Pressure', unit: 'hPa', decimals: 0, range: null, valid: [200, 1200] },
] as const satisfies readonly Metric[];

export type MetricKey = (typeof METRICS)[number]['key'];

/** A metric, and how to convert a stored value for people who count in certain units. */
export interface ShownMetric extends Metric {
  readonly key: MetricKey;
  convert(value: number): number;
}

export function inUnits(metric: (typeof METRICS)[number], units: 'metric' | 'imperial'): ShownMetric {
  if (units === 'metric' || metric.key !== 'temperature') return { ...metric, convert: (value) => value };
  return { ...metric, unit: '°F', convert: (celsius) => (celsius * 9) / 5 + 32 };
}
