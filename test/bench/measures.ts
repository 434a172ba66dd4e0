import { setTimeout as delay } from 'node:timers/promises';
import { processStats, quantile } from './process-stats.ts';
import { arrived, buildRig, NODE, type Rig, type RigOptions, speak, until } from './rig.ts';

/** One line of the table: what, how much, and what it should be. */
export interface Measure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly goal?: string;
  readonly met?: boolean;
}

const STARTS = 7;
const LATENCY_TEXTS = 200;
const AIR_TEXTS = 20;
const AIR_PAUSE_MS = 2_200;
const BACKLOG = 10_000;
const SUSTAINED = 60;
const MINUTE_MS = 60_000;

/** Start to ready file, and memory then. Leaves the daemon running. */
export async function measureStart(rig: Rig): Promise<readonly Measure[]> {
  const times: number[] = [];
  for (let n = 0; n < STARTS; n += 1) {
    await rig.daemon.end('SIGTERM');
    const startedMs = performance.now();
    rig.daemon.start();
    await rig.daemon.ready();
    times.push(performance.now() - startedMs);
  }
  const median = quantile(times, 0.5);
  return [{ name: 'start to ready, median', value: median, unit: 'ms', goal: '< 2000', met: median < 2_000 }];
}

export async function measureLatency(rig: Rig): Promise<readonly Measure[]> {
  const { radio, person, roomId } = rig;
  const toMatrix: number[] = [];
  for (let n = 0; n < LATENCY_TEXTS; n += 1) {
    const before = arrived(rig);
    const saidMs = performance.now();
    radio.node(NODE.num).sendText(0, `latency ${n}`);
    await until(() => arrived(rig) > before, 10_000, 'a text in the room');
    toMatrix.push(performance.now() - saidMs);
    await delay(20);
  }
  const toMesh: number[] = [];
  for (let n = 0; n < AIR_TEXTS; n += 1) {
    const before = radio.counters.accepted;
    const saidMs = performance.now();
    await person.say(roomId, `latency ${n}`);
    await until(() => radio.counters.accepted > before, 10_000, 'a text at the radio');
    toMesh.push(performance.now() - saidMs);
    await delay(AIR_PAUSE_MS);
  }
  return [
    { name: 'mesh to Matrix, idle, p50', value: quantile(toMatrix, 0.5), unit: 'ms' },
    { name: 'mesh to Matrix, idle, p99', value: quantile(toMatrix, 0.99), unit: 'ms' },
    { name: 'Matrix to radio, idle, p50', value: quantile(toMesh, 0.5), unit: 'ms' },
    { name: 'Matrix to radio, idle, p99', value: quantile(toMesh, 0.99), unit: 'ms' },
  ];
}

/** Texts that the mesh said while the homeserver was away. */
export async function measureDrain(rig: Rig): Promise<readonly Measure[]> {
  const before = arrived(rig);
  await rig.homeserver.setOutage({ kind: 'refuse' });
  const spokenMs = performance.now();
  await speak(rig, BACKLOG);
  await until(() => rig.radio.waitingPackets === 0, 60_000, 'an empty radio');
  const intake = (BACKLOG / (performance.now() - spokenMs)) * 1_000;
  await rig.homeserver.setOutage(null);
  await until(() => arrived(rig) > before, 120_000, 'the first of the backlog');
  const firstMs = performance.now();
  await until(() => arrived(rig) === before + BACKLOG, 600_000, 'the whole backlog');
  const rate = (BACKLOG / (performance.now() - firstMs)) * 1_000;
  return [
    { name: `taking ${BACKLOG} texts from the radio, homeserver away`, value: intake, unit: '/s' },
    { name: `draining ${BACKLOG} texts to an unlimited homeserver`, value: rate, unit: '/s' },
  ];
}

export async function measureSustained(rig: Rig): Promise<readonly Measure[]> {
  const { radio, person, roomId } = rig;
  const heardBefore = radio.mesh.heard.length;
  const limitedBefore = radio.counters.rateLimited;
  for (let n = 0; n < SUSTAINED; n += 1) await person.say(roomId, `sustained ${n}`);
  const done = (): boolean => radio.mesh.heard.length === heardBefore + SUSTAINED;
  await until(done, SUSTAINED * 3_000, 'the last text on air');
  const heard = radio.mesh.heard.slice(heardBefore);
  const spanMs = (heard.at(-1)?.atMs ?? 0) - (heard[0]?.atMs ?? 0);
  const rate = ((SUSTAINED - 1) / spanMs) * 1_000;
  const limited = radio.counters.rateLimited - limitedBefore;
  return [
    { name: 'Matrix to mesh, sustained', value: rate, unit: '/s', goal: '>= 0.49', met: rate >= 0.49 },
    { name: 'texts the radio refused as too fast', value: limited, unit: '', goal: '0', met: limited === 0 },
  ];
}

export async function measureIdle(rig: Rig): Promise<readonly Measure[]> {
  const before = processStats(rig.daemon.pid);
  await delay(MINUTE_MS);
  const after = processStats(rig.daemon.pid);
  return [{ name: 'CPU over an idle minute', value: after.cpuMs - before.cpuMs, unit: 'ms' }];
}

/** Memory of a fresh daemon, and along many messages. */
export async function measureMemory(options: RigOptions, messages: number): Promise<readonly Measure[]> {
  const rig = await buildRig(options);
  try {
    rig.daemon.start();
    await rig.daemon.ready();
    await delay(5_000);
    const rss = [processStats(rig.daemon.pid).rssMb];
    const step = Math.max(1, Math.floor(messages / 20));
    for (let said = 0; said < messages; said += step) {
      await speak(rig, step, said);
      await until(() => arrived(rig) >= said + step, 600_000, 'the messages in the room');
      rss.push(processStats(rig.daemon.pid).rssMb);
      process.stderr.write(`  ${said + step} messages: ${rss.at(-1)?.toFixed(1)} MB\n`);
    }
    await delay(5_000);
    const end = processStats(rig.daemon.pid).rssMb;
    const most = Math.max(...rss);
    const second = quantile(rss.slice(rss.length / 2), 0.5);
    const first = quantile(rss.slice(1, rss.length / 2), 0.5);
    return [
      { name: 'resident memory after start', value: rss[0] ?? 0, unit: 'MB', goal: '< 100', met: (rss[0] ?? 0) < 100 },
      { name: `resident memory after ${messages} messages`, value: end, unit: 'MB', goal: '< 100', met: end < 100 },
      { name: 'resident memory, most', value: most, unit: 'MB' },
      {
        name: 'growth, second half against first (medians)',
        value: second - first,
        unit: 'MB',
        goal: '< 5',
        met: second - first < 5,
      },
    ];
  } finally {
    await rig.close();
  }
}
