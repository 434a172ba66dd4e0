// Numbers of the whole relay: the bundle as a process of its own between a virtual radio and an in-memory homeserver in
// this one. Run: npm run bench [-- --messages 200000] [-- --source] [-- --only start,doctor,latency,idle,sustained,drain,plugins,virtual-node,memory,soak,crypto].
// One table on stdout, JSON in .cache/bench.json.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { freePort } from '../support/free-port.ts';
import { measureCryptoStore } from './crypto-store.ts';
import { measureDoctor } from './doctor.ts';
import { measureEncryptedRooms } from './encrypted-rooms.ts';
import {
  type Measure,
  measureDrain,
  measureIdle,
  measureLatency,
  measureMemory,
  measureStart,
  measureSustained,
} from './measures.ts';
import { measurePlugins } from './plugins.ts';
import { buildRig, MEMORY_DISK, type Rig } from './rig.ts';
import { measureSoak } from './soak.ts';
import { measureVirtualNode } from './virtual-node.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '200000' },
    source: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
  },
});

function entryPoint(): string {
  if (values.source) return join(ROOT, 'src/main.ts');
  const built = spawnSync(process.execPath, [join(ROOT, '.ci/build.mjs')], { stdio: 'inherit' });
  if (built.status !== 0) throw new Error('the build failed');
  return join(ROOT, 'dist/mmrelay.js');
}

const wanted = (name: string): boolean => values.only === '' || values.only.split(',').includes(name);
const entry = entryPoint();
const measures: Measure[] = [];
const note = (more: readonly Measure[]): void => {
  measures.push(...more);
  for (const measure of more) process.stderr.write(`${row(measure)}\n`);
};

function row({ name, value, unit, goal, met }: Measure): string {
  const verdict = goal === undefined ? '' : `${goal.padEnd(10)} ${met === true ? 'met' : 'MISSED'}`;
  return `${name.padEnd(56)} ${value.toFixed(value < 10 ? 2 : 1).padStart(10)} ${unit.padEnd(4)} ${verdict}`.trimEnd();
}

const steps: readonly (readonly [string, (rig: Rig) => Promise<readonly Measure[]>])[] = [
  ['latency', measureLatency],
  ['idle', measureIdle],
  ['sustained', measureSustained],
  ['drain', measureDrain],
];
if (['start', 'doctor', ...steps.map(([name]) => name)].some(wanted)) {
  const rig = await buildRig({ entry });
  try {
    if (wanted('start')) note(await measureStart(rig));
    else {
      rig.daemon.start();
      await rig.daemon.ready();
    }
    if (wanted('doctor')) note(measureDoctor(entry, rig));
    for (const [name, measure] of steps) if (wanted(name)) note(await measure(rig));
  } finally {
    await rig.close();
  }
}
if (wanted('plugins')) note(await measurePlugins({ entry }));
if (wanted('virtual-node')) note(await measureVirtualNode({ entry }, await freePort()));
const inMemory = existsSync(MEMORY_DISK) ? { parent: MEMORY_DISK } : {};
if (wanted('memory')) note(await measureMemory({ entry, ...inMemory }, Number(values.messages)));
// Only when it is asked for: it takes long, and says more than `memory` does.
if (values.only.split(',').includes('soak')) note(await measureSoak({ entry, ...inMemory }, Number(values.messages)));
if (wanted('crypto')) {
  note(await measureCryptoStore());
  note(await measureEncryptedRooms(entry));
}

const machine = `${cpus()[0]?.model ?? 'unknown'} x ${cpus().length}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}`;
process.stdout.write(`\n${machine}\n${measures.map(row).join('\n')}\n`);
mkdirSync(join(ROOT, '.cache'), { recursive: true });
writeFileSync(
  join(ROOT, '.cache/bench.json'),
  `${JSON.stringify({ machine, entry, at: new Date(), measures }, null, 2)}\n`,
);
