import { describe, expect, it } from 'vitest';
import { CORE_PLUGINS, coreLoader } from '../../src/app/plugins/core-plugins.ts';
import type { Plugin } from '../../src/plugins/api.ts';
import { TEST_ALICE_NODE, TEST_OWN_NODE, type TestWorld, testPlugin } from '../../src/plugins/testing.ts';
import { relayStatus } from './status/relay-status.ts';
import { forecastAnswer, marineAnswer } from './weather/answers.ts';

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

const NOW_S = 1_700_000_000;
const NAMES = ['🦊🦊', 'WOLF', 'ÄÖÜß', '👩‍👩'];
/** A mesh and a relay with more to tell than a packet holds; the one who asks and the relay's own node are in it. */
const crowd = [
  ...Array.from({ length: 300 }, (_, index) => ({ num: index + 1, shortName: NAMES[index % 4] ?? '' })),
  { num: TEST_OWN_NODE, shortName: 'HOME' },
  { num: TEST_ALICE_NODE, shortName: 'ALI' },
].map((node, index) => ({ ...node, longName: 'Ä'.repeat(19), lastHeardS: NOW_S - index * 60, hopsAway: index % 7 }));
const place = { longitude: 16, altitudeM: null, timeS: 0, precisionBits: 32 };
const metrics = { batteryLevel: 77, voltage: 4.1, channelUtilization: 10.123, airUtilTx: 1.23, uptimeS: 1 };
const [radio] = relayStatus.radios;
const radios = Array.from({ length: 6 }, (_, index) => ({ ...radio!, name: `radio-with-a-long-name-${index}` }));
const queues = radios.map(({ name }) => ({
  lane: `radio:${name}`,
  queued: 99,
  sent: 3,
  oldestMs: 1e7,
  expectedMs: 1e6,
}));
const busyWorld: TestWorld = {
  nowMs: NOW_S * 1_000,
  nodes: crowd,
  positions: Object.fromEntries(crowd.map(({ num }, index) => [num, { ...place, latitude: 48 + index / 100 }])),
  telemetry: Object.fromEntries(crowd.map(({ num }) => [num, metrics])),
  commands: plugins.flatMap(([name, plugin]) =>
    testPlugin(plugin).manifest.commands.map((command) => ({ ...command, plugin: name })),
  ),
  status: { ...relayStatus, radios, queues },
  http: (url) => ({ body: url.pathname.includes('marine') ? marineAnswer : forecastAnswer }),
};

describe('answers to the mesh', () => {
  const commands = plugins.flatMap(([name, plugin]) =>
    testPlugin(plugin)
      .manifest.commands.filter(({ on }) => on.includes('mesh'))
      .map((command) => [command.name, name, plugin] as const),
  );
  // A trace waits for the mesh.
  it.each(
    commands.filter(([command]) => command !== 'trace'),
  )('!%s of %s is one packet', async (command, name, plugin) => {
    const { replies } = await testPlugin(plugin, busyWorld).mesh(name === 'drop' ? `!${command} hello` : `!${command}`);
    expect(replies).not.toEqual([]);
    for (const { text, short = text } of replies) expect(Buffer.byteLength(short)).toBeLessThanOrEqual(200);
  });

  it.each(commands)('!help %s is one packet', async (command) => {
    const help = plugins.find(([name]) => name === 'help')?.[1] as Plugin;
    const { replies } = await testPlugin(help, busyWorld).mesh(`!help ${command}`);
    expect(replies[0]?.short).toContain(`!${command}: `);
    expect(Buffer.byteLength(replies[0]?.short ?? '')).toBeLessThanOrEqual(200);
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
