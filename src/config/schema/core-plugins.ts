import * as z from 'zod';
import { configSchema as dm } from '../../../plugins/dm/config.ts';
import { configSchema as drop } from '../../../plugins/drop/config.ts';
import { configSchema as map } from '../../../plugins/map/config.ts';
import { configSchema as meshRelay } from '../../../plugins/mesh_relay/config.ts';
import { configSchema as ping } from '../../../plugins/ping/config.ts';
import { configSchema as weather } from '../../../plugins/weather/config.ts';
import { key } from './key.ts';

/** One key as a plugin declares it: `ConfigField` of the plugin API, which this folder does not import. */
interface Field {
  readonly type: 'boolean' | 'number' | 'integer' | 'string' | 'list' | 'map';
  readonly description: string;
  readonly default?: unknown;
  readonly min?: number;
  readonly max?: number;
  readonly choices?: readonly string[];
}

type Fields = Readonly<Record<string, Field>>;

/** The keys each core plugin has beside those of every plugin. The plugin declares them; its code is not loaded here. */
const CORE_FIELDS: Readonly<Record<string, Fields>> = {
  debug: {},
  dm,
  drop,
  health: {},
  help: {},
  map,
  mesh_relay: meshRelay,
  nodes: {},
  ping,
  queue: {},
  radio: {},
  status: {},
  telemetry: {},
  trace: {},
  weather,
  who: {},
};

/** Names of all core plugins, sorted. */
export const CORE_PLUGINS: readonly string[] = Object.keys(CORE_FIELDS);

/** Keys of the Python relay that never did anything. */
const OLD_KEYS: Readonly<Record<string, readonly string[]>> = { map: ['anonymize', 'radius'] };

/** The own keys of each core plugin, as the configuration has them. */
export function coreKeys(): readonly (readonly [string, Readonly<Record<string, z.ZodType>>])[] {
  return Object.entries(CORE_FIELDS).map(([plugin, fields]) => [
    plugin,
    Object.fromEntries([
      ...Object.entries(fields).map(([name, field]) => [name, keyOf(field)] as const),
      ...(OLD_KEYS[plugin] ?? []).map((name) => [name, OLD_KEY] as const),
    ]),
  ]);
}

const OLD_KEY = key(z.unknown().optional(), { doc: 'Of the Python relay; no effect.', instead: 'leave it out' });

function keyOf(field: Field): z.ZodType {
  const type = typeOf(field);
  const meta = { doc: `${field.description}.`, tolerant: true, ...expectedOf(field) };
  return key(field.default === undefined ? type.optional() : type.default(field.default), meta);
}

function typeOf({ type, choices, min, max }: Field): z.ZodType {
  switch (type) {
    case 'boolean':
      return z.boolean();
    case 'number':
      return within(z.number(), min, max);
    case 'integer':
      return within(z.number().int(), min, max);
    case 'string':
      return choices === undefined ? z.string() : z.enum(choices);
    case 'list':
      return z.array(z.unknown());
    case 'map':
      return z.record(z.string(), z.unknown());
  }
}

/** Without a bound that is none: JSON has no infinity. */
function within(type: z.ZodNumber, min: number | undefined, max: number | undefined): z.ZodNumber {
  const from = min === undefined ? type : type.min(min);
  return max === undefined ? from : from.max(max);
}

function expectedOf({ type, min, max }: Field): { readonly expected?: string } {
  if (type !== 'number' && type !== 'integer') return {};
  const kind = type === 'integer' ? 'a whole number' : 'a number';
  const least = min === undefined ? '' : max === undefined ? ` of at least ${min}` : ` from ${min}`;
  return { expected: `${kind}${least}${max === undefined ? '' : ` to ${max}`}` };
}
