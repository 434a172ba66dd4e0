import type { Clock } from '../../util/clock.ts';
import type { Timing } from './timing.ts';

export interface ScheduledWork {
  readonly timing: Timing;
  /** Never rejects. */
  readonly run: () => Promise<unknown>;
}

/** Timers overflow, and clocks are set: look again at least this often. */
const MAX_SLEEP_MS = 3_600_000;

/**
 * Runs the jobs of one plugin. One per start of a plugin; holds its timers. Invariant: a job never runs beside itself,
 * and a run that was missed is not caught up.
 */
export class Scheduler {
  readonly #clock: Clock;
  readonly #cancels = new Set<() => void>();
  #stopped = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(work: ScheduledWork): void {
    this.#plan(work, work.timing(this.#clock.now()));
  }

  stop(): void {
    this.#stopped = true;
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
  }

  #plan(work: ScheduledWork, atMs: number | null): void {
    if (atMs === null || this.#stopped) return;
    const waitMs = Math.max(0, atMs - this.#clock.now());
    const cancel = this.#clock.after(
      Math.min(waitMs, MAX_SLEEP_MS),
      () => {
        this.#cancels.delete(cancel);
        if (this.#clock.now() < atMs) this.#plan(work, atMs);
        else void this.#run(work);
      },
      { background: true },
    );
    this.#cancels.add(cancel);
  }

  async #run(work: ScheduledWork): Promise<void> {
    await work.run();
    this.#plan(work, work.timing(this.#clock.now()));
  }
}
