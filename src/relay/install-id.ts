import type { ValueStore } from './store-port.ts';

const VALUE_KEY = 'install_id';

/** Eight hex digits drawn once per database. */
export function installIdOf(values: ValueStore, random: () => number): string {
  const known = values.get(VALUE_KEY);
  if (known !== null) return known;
  const fresh = Math.floor(random() * 2 ** 32)
    .toString(16)
    .padStart(8, '0');
  values.set(VALUE_KEY, fresh);
  return fresh;
}
