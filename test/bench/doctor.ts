import { spawnSync } from 'node:child_process';
import type { Measure } from './measures.ts';
import { childrenCpuMs } from './process-stats.ts';
import type { Rig } from './rig.ts';

const CALLS = 20;
const GOAL_MS = 150;

/** What a probe costs that asks every minute: CPU of one call of doctor beside the running daemon. */
export function measureDoctor(entry: string, { daemon }: Rig): readonly Measure[] {
  const place = ['--home', daemon.home, '--config', daemon.configPath];
  const probe = cpuPerCall([entry, 'doctor', '--liveness', ...place]);
  const whole = cpuPerCall([entry, 'doctor', ...place]);
  return [
    { name: 'doctor --liveness, CPU per call', value: probe, unit: 'ms', goal: `< ${GOAL_MS}`, met: probe < GOAL_MS },
    { name: 'doctor, whole, CPU per call', value: whole, unit: 'ms' },
  ];
}

function cpuPerCall(args: readonly string[]): number {
  const before = childrenCpuMs();
  for (let n = 0; n < CALLS; n += 1) {
    const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`doctor ended with ${status}: ${stdout}`);
  }
  return (childrenCpuMs() - before) / CALLS;
}
