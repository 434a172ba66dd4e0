import { isObject, type JsonObject, type JsonValue } from '../../util/json.ts';
import { missingParam } from './matrix-error.ts';

/** The object under `key`, or an empty one. */
export function objectAt(source: JsonObject, key: string): JsonObject {
  const value = source[key];
  return isObject(value) ? value : {};
}

export function listAt(source: JsonObject, key: string): readonly JsonValue[] {
  const value = source[key];
  return Array.isArray(value) ? value : [];
}

/** The strings of the list under `key`; null when there is no list. */
export function stringsAt(source: JsonObject, key: string): readonly string[] | null {
  const value = source[key];
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : null;
}

export function stringAt(source: JsonObject, key: string): string | null {
  const value = source[key];
  return typeof value === 'string' ? value : null;
}

export function numberAt(source: JsonObject, key: string): number | null {
  const value = source[key];
  return typeof value === 'number' ? value : null;
}

/** The string under `key`; M_MISSING_PARAM when there is none. */
export function needString(source: JsonObject, key: string): string {
  const value = stringAt(source, key);
  if (value === null) throw missingParam(key);
  return value;
}
