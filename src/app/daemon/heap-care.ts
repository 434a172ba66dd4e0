import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Clock } from '../../util/clock.ts';

export interface Collector {
  /** Collects the garbage; some tens of milliseconds on a heap of ours. */
  readonly quick: () => void;
  /** Gives back all that can be had: compiled code that is out of use as well, and half-empty pages. Twice as long. */
  readonly thorough: () => void;
}

export interface HeapCareOptions {
  readonly clock: Clock;
  /** Resident bytes of this process. */
  readonly residentBytes: () => number;
  readonly collector: Collector;
}

const LOOK_MS = 2_000;
const MIB = 1_048_576;
/** Below this nobody minds; above it, each further growth of this much is worth a collection. */
const QUIET_BYTES = 80 * MIB;
const GROWTH_BYTES = 6 * MIB;

/**
 * Keeps a long-lived process small. On a machine with much memory V8 sees no reason to collect: the live heap of the
 * relay is some 20 MB, and hundreds of megabytes of garbage would stay resident beside it (docs/BENCHMARKS.md). Started
 * once per daemon; holds the size after the last collection. Collects whenever memory has grown, and thoroughly once it
 * has stopped to: after the start and after each rush. Costs nothing while memory stands still.
 * @returns stops it
 */
export function startHeapCare({ clock, residentBytes, collector }: HeapCareOptions): () => void {
  let settledBytes = QUIET_BYTES;
  let restless = true;
  let cancel = (): void => undefined;
  const settle = (bytes: number): void => {
    settledBytes = Math.max(QUIET_BYTES, bytes);
  };
  const look = (): void => {
    const bytes = residentBytes();
    if (bytes > settledBytes + GROWTH_BYTES) {
      collector.quick();
      settle(residentBytes());
      restless = true;
    } else if (restless) {
      collector.thorough();
      settle(residentBytes());
      restless = false;
    } else if (bytes < settledBytes) settle(bytes);
    wait();
  };
  const wait = (): void => {
    cancel = clock.after(LOOK_MS, look, { background: true });
  };
  wait();
  return () => cancel();
}

/** V8's own collector, made reachable; a flag of the command line could do the same but does not come with every start. */
export function exposeCollector(): Collector {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect !== 'function') return { quick: () => undefined, thorough: () => undefined };
  return {
    quick: () => void collect(),
    thorough: () => void collect({ type: 'major', execution: 'sync', flavor: 'last-resort' }),
  };
}
