import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Clock } from '../../util/clock.ts';

export interface HeapCareOptions {
  readonly clock: Clock;
  /** Resident bytes of this process. */
  readonly residentBytes: () => number;
  /** Collects all garbage; some tens of milliseconds on a heap of ours. */
  readonly collect: () => void;
}

const LOOK_MS = 2_000;
const MIB = 1_048_576;
/** Below this nobody minds; above it, each further growth of this much is worth a collection. */
const QUIET_BYTES = 96 * MIB;
const GROWTH_BYTES = 6 * MIB;

/**
 * Keeps a long-lived process small. On a machine with much memory V8 sees no reason to collect: the live heap of the
 * relay is some 30 MB, and hundreds of megabytes of garbage would stay resident beside it (docs/BENCHMARKS.md). Started
 * once per daemon; holds the size after the last collection. Costs nothing while memory does not grow.
 * @returns stops it
 */
export function startHeapCare({ clock, residentBytes, collect }: HeapCareOptions): () => void {
  let settledBytes = QUIET_BYTES;
  let cancel = (): void => undefined;
  const look = (): void => {
    const bytes = residentBytes();
    if (bytes > settledBytes + GROWTH_BYTES) {
      collect();
      settledBytes = Math.max(QUIET_BYTES, residentBytes());
    } else if (bytes < settledBytes) {
      settledBytes = Math.max(QUIET_BYTES, bytes);
    }
    cancel = clock.after(LOOK_MS, look, { background: true });
  };
  look();
  return () => cancel();
}

/** V8's own collector, made reachable; flags of the command line could do the same but do not come with every start. */
export function exposeCollector(): () => void {
  // The nursery would grow to 48 MiB under load and never shrink: with a factor of one it stays small.
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--expose-gc');
  const collector: unknown = runInNewContext('gc');
  return typeof collector === 'function' ? () => void collector() : () => undefined;
}
