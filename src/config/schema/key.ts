import * as z from 'zod';

/** What we know of a configuration key beside its type. The sample file, the documentation and the checks read it. */
export interface KeyMeta {
  /** One or more sentences for the person who edits the file. */
  readonly doc: string;
  /** Environment variable that overrides the key. */
  readonly env?: string;
  /** Never shown, and readable from `<env>_FILE` and `<key>_file`. */
  readonly secret?: boolean;
  /** A bad value is a warning and the default is used, as in the Python relay. */
  readonly tolerant?: boolean;
  /** Value in the generated sample; keys without one appear commented out. */
  readonly sample?: unknown;
  /** Value shown in the commented line when there is no default. */
  readonly example?: unknown;
  /** The sample's value has to be replaced before the file is of use. */
  readonly placeholder?: boolean;
  /** Accepted and without effect, or replaced: says what to do instead. */
  readonly instead?: string;
  /** What to do when it is missing or wrong; by the value, where that tells what was meant. */
  readonly remedy?: string | ((value: unknown) => string | null);
  /** In words, what a value looks like. */
  readonly expected?: string;
}

/** Attaches documentation to a schema. */
export function key<T extends z.ZodType>(schema: T, meta: KeyMeta): T {
  return schema.meta({ ...meta });
}

const DURATION_PATTERN = /^\s*\d+(\.\d+)?\s*(ms|s|m|h|d)?\s*$/;
const UNIT_SECONDS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 };

/** `12h`, `30m`, `90s`, `500ms`, `2d`, or a number of seconds. */
export function duration(): z.ZodUnion<readonly [z.ZodNumber, z.ZodString]> {
  return z.union([z.number().nonnegative(), z.string().regex(DURATION_PATTERN)]);
}

/** Milliseconds behind a value that `duration()` has accepted. */
export function durationMs(value: number | string): number {
  if (typeof value === 'number') return Math.round(value * 1000);
  const match = /^\s*([\d.]+)\s*([a-z]*)/.exec(value);
  return Math.round(Number(match?.[1] ?? 0) * (UNIT_SECONDS[match?.[2] || 's'] ?? 1) * 1000);
}

/** What `duration()` expects, for messages. */
export const DURATION_EXPECTED = 'a duration such as 90s, 30m, 12h, or a number of seconds';

export const DEFAULT_MESH_TO_MATRIX_PREFIX = '[{long}/{mesh}]: ';
export const DEFAULT_MATRIX_TO_MESH_PREFIX = '{display5}[M]: ';
