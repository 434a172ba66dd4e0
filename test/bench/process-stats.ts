import { readFileSync } from 'node:fs';

/** Clock ticks per second of /proc (USER_HZ), 100 on every Linux that Node runs on. */
const TICKS = 100;

export interface ProcessStats {
  readonly rssMb: number;
  /** User and system time since its start. */
  readonly cpuMs: number;
}

/** What the kernel says of a process. @throws Error when it is gone */
export function processStats(pid: number): ProcessStats {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const rssKib = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]);
  return { rssMb: rssKib / 1024, cpuMs: cpuMs(pid, 11) };
}

/** User and system time of the children of this process that have ended. */
export function childrenCpuMs(): number {
  return cpuMs('self', 13);
}

/** Of itself the 12th and 13th field behind the name (which is in brackets and may hold spaces), of children the next two. */
function cpuMs(pid: number | 'self', first: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  return ((Number(fields[first]) + Number(fields[first + 1])) * 1_000) / TICKS;
}

export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}
