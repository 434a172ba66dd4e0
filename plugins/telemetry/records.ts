/**
 * What is kept: per node a list of records as mmrelay 1.x wrote them (`time`, `batteryLevel`, `voltage`, `airUtilTx`,
 * null when missing), with more keys for the values it did not know.
 */

import type { Decoded, Json } from '../../src/plugins/api.ts';
import { isNumber } from '../shared/numbers.ts';
import { METRICS, type MetricKey } from './metrics.ts';

export interface TelemetryRecord {
  /** Seconds since 1970. */
  readonly time: number;
  readonly values: Readonly<Partial<Record<MetricKey, number>>>;
}

/** A week, and one day to spare. */
const KEEP_S = 8 * 86_400;
/** Some 40 KB of JSON per node; 300 nodes stay within the quota of a plugin. */
const MAX_RECORDS = 400;

type Telemetry = Extract<Decoded, { readonly kind: 'telemetry' }>;

/** The record of a packet; null when it has none of our values. */
export function recordOf(telemetry: Telemetry, rxTimeS: number): { readonly [key: string]: Json } | null {
  const { device, environment } = telemetry;
  if (device === null && environment === null) return null;
  const more: readonly (readonly [MetricKey, number | null | undefined])[] = [
    ['channelUtilization', device?.channelUtilization],
    ['temperature', environment?.temperatureC],
    ['humidity', environment?.humidityPercent],
    ['pressure', environment?.pressureHpa],
  ];
  const record: { [key: string]: Json } = {
    time: telemetry.timeS > 0 ? telemetry.timeS : rxTimeS,
    batteryLevel: device?.batteryLevel ?? null,
    voltage: rounded(device?.voltage),
    airUtilTx: rounded(device?.airUtilTx),
  };
  for (const [key, value] of more) if (isNumber(value)) record[key] = rounded(value);
  return record;
}

/** The mesh carries 32-bit floats; more digits are noise and cost space. */
function rounded(value: number | null | undefined): number | null {
  return isNumber(value) ? Number(value.toPrecision(7)) : null;
}

/** The records a chart can still show; null when there are none. */
export function freshRecords(stored: Json, nowS: number): readonly Json[] | null {
  const list = Array.isArray(stored) ? (stored as readonly Json[]) : [];
  const young = list.filter((item) => timeOf(item) > nowS - KEEP_S);
  return young.length === 0 ? null : young;
}

/** The list with the new record: nothing older than eight days, and of very many the older ones at half the density. */
export function withRecord(stored: Json, record: { readonly [key: string]: Json }, nowS: number): Json {
  const young = freshRecords(stored, nowS) ?? [];
  const all = [...young, record];
  if (all.length <= MAX_RECORDS) return all;
  const half = Math.floor(all.length / 2);
  return all.filter((_, index) => index >= half || index % 2 === 0);
}

function timeOf(item: Json): number {
  const time = fieldOf(item, 'time');
  return isNumber(time) ? time : 0;
}

function fieldOf(item: Json, key: string): Json | undefined {
  return typeof item === 'object' && item !== null && !Array.isArray(item)
    ? (item as { readonly [key: string]: Json | undefined })[key]
    : undefined;
}

/** Reads a stored value of this or of the old relay; what is not a record is skipped. */
export function readRecords(stored: Json): TelemetryRecord[] {
  const list = Array.isArray(stored) ? (stored as readonly Json[]) : [stored];
  return list.flatMap((item) => {
    const time = timeOf(item);
    if (time <= 0) return [];
    const values: Partial<Record<MetricKey, number>> = {};
    for (const { key, valid } of METRICS) {
      const value = fieldOf(item, key);
      if (isNumber(value) && value >= valid[0] && value <= valid[1]) values[key] = value;
    }
    return [{ time, values }];
  });
}
