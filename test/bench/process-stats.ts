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
  // The name in brackets may hold spaces; utime and stime are the 12th and 13th field behind it.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
  return { rssMb: rssKib / 1024, cpuMs: ((Number(fields[11]) + Number(fields[12])) * 1_000) / TICKS };
}

export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}
