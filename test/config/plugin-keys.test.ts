import { expect, test } from 'vitest';
import { pluginsSchema } from '../../src/config/schema/operations.ts';
import { keyTree } from '../../src/config/schema/tree.ts';
import { checkConfig } from '../../src/plugins/config-values.ts';
import { config, MINIMAL, parse } from './helpers.ts';

test('the keys the host reads for every plugin are those of the schema: documented, and no warning', () => {
  const keys = [...(keyTree(pluginsSchema).rest?.children.keys() ?? [])];
  expect(keys).toEqual(expect.arrayContaining(['rooms', 'allow', 'deny', 'cooldown', 'units', 'locale', 'time_zone']));
  const settings = Object.fromEntries(keys.map((key) => [key, 1]));
  expect(checkConfig({}, settings).warnings).toEqual([]);
});

test('what one writes too simply is understood; what cannot be meant is left out with a warning', () => {
  const text = `${MINIMAL}plugins:\n  ping:\n    active: yes\n    rooms: "#a:x"\n    cooldown: "10"\n    units: miles\n`;
  const [ping] = config(text).plugins.core;
  expect(ping?.settings).toMatchObject({ rooms: '#a:x', cooldown: 10 });
  expect(ping?.settings.units).toBeUndefined();
  const warnings = parse(text).problems.filter(({ severity }) => severity === 'warning');
  expect(warnings).toMatchObject([{ path: 'plugins.ping.units', expected: 'metric or imperial', value: '"miles"' }]);
});
