import { readFileSync } from 'node:fs';

/** Time as a dependency. All times are milliseconds. */
export interface Clock {
  /** Wall clock, Unix epoch. May jump. */
  now(): number;
  /** Never goes back; only differences mean something. */
  monotonic(): number;
  /** Names the moment `monotonic` counts from, where several processes share it (a boot of the machine). */
  readonly epoch?: string | undefined;
  /** Calls back once after `delayMs`; the returned function cancels. Does not keep the process alive by itself when `background`. */
  after(delayMs: number, callback: () => void, options?: { readonly background?: boolean }): () => void;
}

/** setTimeout overflows above 2^31-1 ms and fires at once. */
const MAX_TIMER_MS = 2_147_483_647;

export const systemClock: Clock = {
  now: () => Date.now(),
  // Not performance.now(), which counts from the start of the process.
  monotonic: () => Number(process.hrtime.bigint()) / 1e6,
  ...bootOfThisMachine(),
  after(delayMs, callback, options = {}) {
    const timer = setTimeout(callback, Math.min(Math.max(delayMs, 0), MAX_TIMER_MS));
    if (options.background) timer.unref();
    return () => clearTimeout(timer);
  },
};

/**
 * Resolves after `delayMs`, or at once when `signal` aborts (never rejects: the caller looks at the signal).
 */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) {
      resolve();
      return;
    }
    const finish = (): void => {
      cancel();
      signal?.removeEventListener('abort', finish);
      resolve();
    };
    const cancel = clock.after(delayMs, finish);
    signal?.addEventListener('abort', finish, { once: true });
  });
}

/** Linux only; elsewhere each process counts for itself. */
function bootOfThisMachine(): { readonly epoch?: string } {
  try {
    return { epoch: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim() };
  } catch {
    return {}; // no Linux, or no /proc
  }
}
