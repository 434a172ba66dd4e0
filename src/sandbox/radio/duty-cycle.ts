import type { Clock } from '../../util/clock.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** How much of the last hour a device transmitted. One per device; holds one entry a transmission, for an hour. */
export class DutyCycle {
  readonly #clock: Clock;
  readonly #limitPercent: number;
  #spent: { readonly atMs: number; readonly forMs: number }[] = [];

  constructor(clock: Clock, limitPercent: number) {
    this.#clock = clock;
    this.#limitPercent = limitPercent;
  }

  /** Percent of the last hour. */
  get usedPercent(): number {
    return this.#usedPercentAt(this.#clock.monotonic());
  }

  get exceeded(): boolean {
    return this.#limitPercent < 100 && this.usedPercent > this.#limitPercent;
  }

  add(forMs: number): void {
    const nowMs = this.#clock.monotonic();
    this.#spent = this.#spent.filter((entry) => entry.atMs > nowMs - HOUR_MS);
    this.#spent.push({ atMs: nowMs, forMs });
  }

  /** Whole minutes until the hour has room again. */
  silentMinutes(): number {
    const nowMs = this.#clock.monotonic();
    let minutes = 1;
    while (minutes < 60 && this.#usedPercentAt(nowMs + minutes * MINUTE_MS) > this.#limitPercent) minutes += 1;
    return minutes;
  }

  #usedPercentAt(atMs: number): number {
    const recent = this.#spent.filter((entry) => entry.atMs > atMs - HOUR_MS);
    return (recent.reduce((sum, entry) => sum + entry.forMs, 0) / HOUR_MS) * 100;
  }
}
