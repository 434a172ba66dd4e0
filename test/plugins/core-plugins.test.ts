import { describe, expect, it } from 'vitest';
import { CORE_PLUGINS, coreLoader } from '../../src/app/plugins-core.ts';
import type { Plugin } from '../../src/plugins/api.ts';
import { testPlugin } from '../../src/plugins/testing.ts';

const plugins = await Promise.all(
  CORE_PLUGINS.map(async (name): Promise<readonly [string, Plugin]> => [name, await coreLoader(name)!()]),
);

describe('core plugins', () => {
  it.each(
    plugins,
  )('%s is known by its name, describes itself, and has a sound default configuration', (name, plugin) => {
    const { manifest } = testPlugin(plugin);
    expect(manifest).toMatchObject({ name, version: '2.0.0', warnings: [] });
    expect(manifest.description).not.toBe('');
    expect(manifest.commands.every(({ description }) => description !== '')).toBe(true);
  });

  it('share no command, and keep those of mmrelay 1.x', () => {
    const names = plugins.flatMap(([, plugin]) => testPlugin(plugin).manifest.commands.map(({ name }) => name));
    expect(new Set(names).size).toBe(names.length);
    const old = 'airUtilTx batteryLevel daily drop health help hourly map nodes ping voltage weather';
    expect(names).toEqual(expect.arrayContaining(old.split(' ')));
  });

  it('ask for no more than they use', () => {
    for (const [name, plugin] of plugins) {
      const needs = plugin.needs ?? [];
      const sends = needs.filter((need) => ['sendMesh', 'sendPacket', 'sendRoom', 'http'].includes(need));
      expect([name, sends]).toEqual([name, SENDS[name] ?? []]);
    }
  });
});

/** What may leave by way of a plugin, other than answers. */
const SENDS: Readonly<Record<string, readonly string[]>> = {
  dm: ['sendMesh'],
  drop: ['sendMesh'],
  map: ['http'],
  mesh_relay: ['sendRoom', 'sendPacket'],
  trace: ['sendPacket'],
  weather: ['http'],
};
