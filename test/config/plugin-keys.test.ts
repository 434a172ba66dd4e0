import { expect, test } from 'vitest';
import { coreLoader, CORE_PLUGINS as LOADED } from '../../src/app/plugins/core-plugins.ts';
import { CORE_PLUGINS } from '../../src/config/schema/core-plugins.ts';
import { corePluginsSchema, foreignPluginsSchema } from '../../src/config/schema/plugins.ts';
import { keyTree } from '../../src/config/schema/tree.ts';
import { checkConfig } from '../../src/plugins/config-values.ts';
import { config, MINIMAL, parse } from './helpers.ts';

test('the keys the host reads for every plugin are those of the schema: documented, and no warning', () => {
  const keys = [...(keyTree(foreignPluginsSchema).rest?.children.keys() ?? [])];
  expect(keys).toEqual(expect.arrayContaining(['rooms', 'allow', 'deny', 'cooldown', 'units', 'locale', 'time_zone']));
  const settings = Object.fromEntries(keys.map((key) => [key, 1]));
  expect(checkConfig({}, settings).warnings).toEqual([]);
});

test('every core plugin is known with the very keys that it declares', async () => {
  const sections = keyTree(corePluginsSchema).children;
  for (const name of CORE_PLUGINS) {
    const { configSchema = {} } = await (coreLoader(name) ?? expect.unreachable(name))();
    expect([...(sections.get(name)?.children.keys() ?? [])], name).toEqual(
      expect.arrayContaining(Object.keys(configSchema)),
    );
  }
  expect(CORE_PLUGINS).toEqual(LOADED);
});

test('of a plugin whose list of users cannot be read nothing is opened: it does not run', () => {
  const text = `${MINIMAL}custom-plugins:\n  mine: {active: true, allow: {me: true}}\n`;
  expect(config(text).plugins.custom).toEqual([]);
});

test('channels as the Python relay took them: what is none matches nothing', () => {
  const text = `${MINIMAL}plugins: {ping: {active: true, channels: [0, "1", LongFast]}, who: {channels: all}}\n`;
  expect(config(text).plugins.core.map(({ channels }) => channels)).toEqual([[0, 1], []]);
});

test('what one writes too simply is understood; what cannot be meant is left out with a warning', () => {
  const text = `${MINIMAL}plugins:\n  ping:\n    active: yes\n    rooms: "#a:x"\n    cooldown: "10"\n    units: miles\n`;
  const [ping] = config(text).plugins.core;
  expect(ping?.settings).toMatchObject({ rooms: '#a:x', cooldown: 10 });
  expect(ping?.settings.units).toBeUndefined();
  const warnings = parse(text).problems.filter(({ severity }) => severity === 'warning');
  expect(warnings).toMatchObject([{ path: 'plugins.ping.units', expected: 'metric or imperial', value: '"miles"' }]);
});
