/** Reads answers of Open-Meteo: columns of values, any of which may be missing. */

import type { Json } from '../../src/plugins/api.ts';
import { isNumber } from '../shared/numbers.ts';

export function objectOf(value: Json | undefined, key: string): { readonly [key: string]: Json | undefined } | null {
  const inside = isObject(value) ? value[key] : undefined;
  return isObject(inside) ? inside : null;
}

function isObject(value: Json | undefined): value is { readonly [key: string]: Json | undefined } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

type Columns = ReturnType<typeof objectOf>;

export function numberAt(columns: Columns, key: string, index: number): number | null {
  const column = columns?.[key];
  const value = Array.isArray(column) ? (column as readonly Json[])[index] : undefined;
  return isNumber(value) ? value : null;
}

export function numberOf(columns: Columns, key: string): number | null {
  const value = columns?.[key];
  return isNumber(value) ? value : null;
}

export function textsOf(columns: Columns, key: string): readonly string[] {
  const column = columns?.[key];
  return Array.isArray(column) ? (column as readonly Json[]).filter((value) => typeof value === 'string') : [];
}

/** Row of the hour of `now` (`2026-11-21T14:15`), else the hour of the day. Later rows end at the last one there is. */
export function hourIndex(times: readonly string[], now: string): number {
  const index = times.indexOf(`${now.slice(0, 13)}:00`);
  if (index >= 0) return index;
  const hour = Number(now.slice(11, 13));
  return Number.isInteger(hour) ? hour : 0;
}
