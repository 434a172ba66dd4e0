import type { Clock } from './clock.ts';

interface Timer {
  readonly atMs: number;
  readonly order: number;
  readonly callback: () => void;
}

/**
 * A clock that stands still until told to move: for tests and for the sandbox's virtual time.
 * One per test. Holds the pending timers; invariant: timers fire in order of their time, then of their creation.
 */
export class ManualClock implements Clock {
  #nowMs: number;
  #steppedMs = 0;
  #order = 0;
  #timers: Timer[] = [];

  readonly epoch: string | undefined;

  /** @param epoch names the boot of the machine; without one, monotonic time is this process's own */
  constructor(startMs = 1_750_000_000_000, epoch?: string) {
    this.#nowMs = startMs;
    this.epoch = epoch;
  }

  now(): number {
    return this.#nowMs + this.#steppedMs;
  }

  monotonic(): number {
    return this.#nowMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer: Timer = { atMs: this.#nowMs + Math.max(delayMs, 0), order: this.#order++, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** The wall clock is set, as NTP does it: no time passes. */
  step(deltaMs: number): void {
    this.#steppedMs += deltaMs;
  }

  /** Number of timers that wait: a closed component must leave none behind. */
  pending(): number {
    return this.#timers.length;
  }

  /** Moves time on by `deltaMs`, firing what falls due, and lets promise callbacks run between the timers. */
  async advance(deltaMs: number): Promise<void> {
    const untilMs = this.#nowMs + deltaMs;
    // What is under way now happens now, not at the end of the step.
    await settle();
    for (let next = this.#due(untilMs); next !== undefined; next = this.#due(untilMs)) {
      this.#timers = this.#timers.filter((other) => other !== next);
      this.#nowMs = next.atMs;
      next.callback();
      await settle();
    }
    this.#nowMs = untilMs;
    await settle();
  }

  #due(untilMs: number): Timer | undefined {
    return this.#timers
      .filter((timer) => timer.atMs <= untilMs)
      .sort((a, b) => a.atMs - b.atMs || a.order - b.order)
      .at(0);
  }
}

/** Lets every promise callback that is ready run, including those they make ready. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 20; round += 1) await Promise.resolve();
  await new Promise<void>((resolve) => setImmediate(resolve));
}
