import { expect, it } from 'vitest';
import { CORE_PLUGINS, coreLoader } from '../../../src/app/plugins/core-plugins.ts';
import { inProcess, startHost } from './helpers.ts';

it('every core plugin comes up under its own name, and no two have one command', async () => {
  const specs = await Promise.all(
    CORE_PLUGINS.map(async (name) => {
      const load = coreLoader(name);
      if (load === null) throw new Error(`no loader for ${name}`);
      return { ...inProcess(await load()), name };
    }),
  );
  const { host, started } = startHost(specs);
  await started;

  expect(host.states().filter(({ status }) => status !== 'active')).toEqual([]);
  const names = host.commands().flatMap(({ name, aliases }) => [name, ...aliases]);
  expect(new Set(names).size).toBe(names.length);
  expect(coreLoader('constructor')).toBeNull();
  await host.stop();
});
