import type { Clock } from '../../util/clock.ts';

const MAX_ENTRIES = 2_000;

export type CooldownVerdict =
  | { readonly kind: 'go' }
  /** `tell`: it is the first try in this pause, so that saying so is no flood. */
  | { readonly kind: 'wait'; readonly leftMs: number; readonly tell: boolean };

/** Keeps people from repeating a command at once. One per host; holds the end of each pause under way. */
export class Cooldowns {
  readonly #clock: Clock;
  readonly #until = new Map<string, { readonly untilMs: number; told: boolean }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  take(who: string, command: string, pauseMs: number): CooldownVerdict {
    if (pauseMs <= 0) return { kind: 'go' };
    const key = `${command} ${who}`;
    const nowMs = this.#clock.monotonic();
    const pause = this.#until.get(key);
    if (pause !== undefined && pause.untilMs > nowMs) {
      const tell = !pause.told;
      pause.told = true;
      return { kind: 'wait', leftMs: pause.untilMs - nowMs, tell };
    }
    this.#until.delete(key);
    this.#until.set(key, { untilMs: nowMs + pauseMs, told: false });
    if (this.#until.size > MAX_ENTRIES) this.#prune(nowMs);
    return { kind: 'go' };
  }

  #prune(nowMs: number): void {
    for (const [key, { untilMs }] of this.#until) if (untilMs <= nowMs) this.#until.delete(key);
  }
}
