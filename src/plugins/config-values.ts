import { nearest } from '../util/nearest.ts';
import type { ConfigField, ConfigSchema, Json } from './api.ts';

/** Keys every plugin's entry has; read by the host, unknown to the plugin. */
const GENERAL_KEYS: ReadonlySet<string> = new Set([
  'active',
  'allow',
  'branch',
  'channels',
  'commit',
  'cooldown',
  'deny',
  'install_requirements',
  'locale',
  'min_power_level',
  'priority',
  'repository',
  'require_bot_mention',
  'rooms',
  'schedule',
  'tag',
  'time_zone',
  'units',
]);

export interface CheckedConfig {
  readonly config: Readonly<Record<string, Json>>;
  /** One line for each key that was not taken as written. */
  readonly warnings: readonly string[];
}

/** A plugin's part of the configuration by its schema. A wrong value is named and the default taken: never a reason to stop. */
export function checkConfig(schema: ConfigSchema, settings: Readonly<Record<string, unknown>>): CheckedConfig {
  const config: Record<string, Json> = {};
  const warnings: string[] = [];
  for (const [key, field] of Object.entries(schema)) {
    const value = settings[key];
    const problem = value === undefined || value === null ? null : problemOf(field, value);
    if (problem !== null) warnings.push(`${key} must be ${problem}; the default is used`);
    const taken = value === undefined || value === null || problem !== null ? (field.default ?? null) : (value as Json);
    config[key] = taken;
  }
  for (const key of Object.keys(settings)) {
    if (schema[key] === undefined && !GENERAL_KEYS.has(key)) warnings.push(unknownKey(key, schema));
  }
  return { config, warnings };
}

function unknownKey(key: string, schema: ConfigSchema): string {
  const meant = nearest(key, [...Object.keys(schema), ...GENERAL_KEYS]);
  return `${key} is no key of this plugin${meant === null ? '' : `; did you mean ${meant}?`}`;
}

/** What the value should be, in words; null when it is fine. */
function problemOf(field: ConfigField, value: unknown): string | null {
  switch (field.type) {
    case 'boolean':
      return typeof value === 'boolean' ? null : 'true or false';
    case 'integer':
    case 'number': {
      const kind = field.type === 'integer' ? 'a whole number' : 'a number';
      const { min = -Infinity, max = Infinity } = field;
      if (typeof value !== 'number' || !Number.isFinite(value)) return kind;
      if (field.type === 'integer' && !Number.isInteger(value)) return kind;
      return value >= min && value <= max ? null : `${kind}${range(field)}`;
    }
    case 'string':
      if (typeof value !== 'string') return 'a text';
      return field.choices === undefined || field.choices.includes(value) ? null : `one of ${field.choices.join(', ')}`;
    case 'list':
      return Array.isArray(value) ? null : 'a list';
    case 'map':
      return typeof value === 'object' && !Array.isArray(value) ? null : 'a mapping';
  }
}

function range({ min, max }: { readonly min?: number; readonly max?: number }): string {
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`;
  return min !== undefined ? ` of at least ${min}` : max !== undefined ? ` of at most ${max}` : '';
}
