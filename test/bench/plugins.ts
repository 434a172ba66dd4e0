import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CORE_PLUGINS } from '../../src/app/plugins/core-plugins.ts';
import type { Measure } from './measures.ts';
import { processStats, quantile } from './process-stats.ts';
import { arrived, buildRig, NODE, type Rig, type RigOptions, until } from './rig.ts';

const COUNTS = [0, 10, 30] as const;
const TEXTS = 200;
const WARM_TEXTS = 30;
/** What follows a text (its echo, the plugins' own work) must not meet the next daemon's. */
const PAUSE_MS = 60;
const MAX_SLOWDOWN = 1.1;

/** What people write: most have a command, some look at packets, few at texts. In threads of their own. */
const CUSTOM = {
  command: "commands: [{ name: 'NAME', description: 'x', run: () => 'y' }]",
  packets: 'onMeshPacket() {}',
  texts: 'onMeshText() { return false; }',
} as const;

/** Of the plugins beyond the core ones, the first looks at texts, the next three at packets. */
function kindOf(index: number): keyof typeof CUSTOM {
  if (index === 0) return 'texts';
  return index < 4 ? 'packets' : 'command';
}

/** How long a text takes to the room with so many active plugins: daemons side by side, asked in turn. */
export async function measurePlugins(options: RigOptions): Promise<readonly Measure[]> {
  const rigs: Rig[] = [];
  try {
    for (const count of COUNTS) rigs.push(await rigWith(count, options));
    const times = rigs.map((): number[] => []);
    for (let n = 0; n < WARM_TEXTS; n += 1) for (const rig of rigs) await say(rig, n);
    const cpuBefore = rigs.map(({ daemon }) => processStats(daemon.pid).cpuMs);
    for (let n = 0; n < TEXTS; n += 1)
      // Each comes first as often as the others.
      for (let turn = 0; turn < rigs.length; turn += 1) {
        const index = (n + turn) % rigs.length;
        times[index]?.push(await say(rigs[index] as Rig, WARM_TEXTS + n));
      }
    return rigs.flatMap(({ daemon }, index) => {
      const cpuMs = (processStats(daemon.pid).cpuMs - (cpuBefore[index] ?? 0)) / TEXTS;
      return lines(index, { times, cpuMs });
    });
  } finally {
    for (const rig of rigs) await rig.close();
  }
}

function lines(
  index: number,
  { times, cpuMs }: { readonly times: readonly (readonly number[])[]; readonly cpuMs: number },
): readonly Measure[] {
  const count = COUNTS[index] ?? 0;
  const medianMs = quantile(times[index] ?? [], 0.5);
  const without = quantile(times[0] ?? [], 0.5);
  const goal = count === 0 ? {} : { goal: `< +10 %`, met: medianMs < without * MAX_SLOWDOWN };
  return [
    { name: `mesh to Matrix with ${count} plugins, p50`, value: medianMs, unit: 'ms', ...goal },
    { name: `CPU of a text with ${count} plugins`, value: cpuMs, unit: 'ms' },
  ];
}

async function rigWith(count: number, options: RigOptions): Promise<Rig> {
  const core = CORE_PLUGINS.slice(0, count);
  const custom = Array.from({ length: count - core.length }, (_, index) => `custom${index}`);
  const active = (names: readonly string[]): object =>
    Object.fromEntries(names.map((name) => [name, { active: true }]));
  const rig = await buildRig({
    ...options,
    config: { plugins: active(core), 'custom-plugins': active(custom) },
  });
  for (const [index, name] of custom.entries()) {
    const folder = join(rig.daemon.home, 'plugins', 'custom', name);
    mkdirSync(folder, { recursive: true });
    const handlers = CUSTOM[kindOf(index)].replace('NAME', name);
    writeFileSync(
      join(folder, 'index.mjs'),
      `export default { name: '${name}', version: '1', api: 1, ${handlers} };\n`,
    );
  }
  rig.daemon.start();
  await rig.daemon.ready();
  const running = (): number => rig.daemon.output.split('The plugin runs').length - 1;
  await rig.daemon.until(() => running() === count, `${count} plugins`);
  return rig;
}

async function say(rig: Rig, n: number): Promise<number> {
  const before = arrived(rig);
  const saidMs = performance.now();
  rig.radio.node(NODE.num).sendText(0, `plugins ${n}`);
  await until(() => arrived(rig) > before, 10_000, 'a text in the room');
  const tookMs = performance.now() - saidMs;
  await delay(PAUSE_MS);
  return tookMs;
}
