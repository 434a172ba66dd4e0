import type { Clock } from '../util/clock.ts';

/** Silence after which we probe; the third such silence in a row is death: 75 s, two probes. */
const QUIET_MS = 25_000;

/** The same for firmware known to ignore heartbeats, where a probe costs a whole configuration. */
const QUIET_MUTE_MS = 240_000;

/** Firmware drops a TCP client that says nothing for 15 min, however much it hears. */
const SPEAK_EVERY_MS = 300_000;

const MAX_PROBES = 2;

/** Learnt about one radio, across its connections. */
export interface HeartbeatHabit {
  heartbeats: 'unknown' | 'answered' | 'ignored';
}

export interface LivenessHandlers {
  /** A plain keepalive. */
  heartbeat(): void;
  /** Something that any firmware answers. */
  askAnything(): void;
  dead(silentMs: number): void;
}

/**
 * Watches one ready link: frames prove life, silence is probed, twice unanswered is death. One per session.
 * Invariant: at most one timer waits, and none after `stop`.
 */
export class Liveness {
  readonly #clock: Clock;
  readonly #habit: HeartbeatHabit;
  readonly #handlers: LivenessHandlers;
  #cancel: (() => void) | null = null;
  #aliveAtMs = 0;
  /** A frame came since the last check. */
  #isHeard = false;
  #spokeAtMs = 0;
  #probes = 0;

  constructor(clock: Clock, habit: HeartbeatHabit, handlers: LivenessHandlers) {
    this.#clock = clock;
    this.#habit = habit;
    this.#handlers = handlers;
  }

  start(): void {
    this.stop();
    const nowMs = this.#clock.monotonic();
    this.#aliveAtMs = nowMs;
    this.#isHeard = false;
    this.#spokeAtMs = nowMs;
    this.#probes = 0;
    this.#arm(this.#quietMs());
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  /** A frame came. */
  alive(): void {
    this.#isHeard = true;
    this.#aliveAtMs = this.#clock.monotonic();
  }

  /** The radio answered a heartbeat (a QueueStatus without packet id, while a probe was out). */
  queueStatus(packetId: number): void {
    if (packetId === 0 && this.#probes > 0) this.#habit.heartbeats = 'answered';
  }

  /** We wrote something. */
  spoke(): void {
    this.#spokeAtMs = this.#clock.monotonic();
  }

  #quietMs(): number {
    return this.#habit.heartbeats === 'ignored' ? QUIET_MUTE_MS : QUIET_MS;
  }

  #arm(delayMs: number): void {
    this.#cancel = this.#clock.after(delayMs, () => this.#check());
  }

  #check(): void {
    const silentMs = this.#clock.monotonic() - this.#aliveAtMs;
    if (this.#isHeard) this.#settleProbes();
    const restMs = this.#isHeard ? this.#quietMs() - silentMs : 0;
    this.#isHeard = false;
    if (restMs <= 0) {
      if (this.#probes >= MAX_PROBES) {
        this.stop();
        this.#handlers.dead(silentMs);
        return;
      }
      this.#probe();
    }
    if (this.#clock.monotonic() - this.#spokeAtMs >= SPEAK_EVERY_MS) this.#handlers.heartbeat();
    this.#arm(restMs > 0 ? restMs : this.#quietMs());
  }

  #settleProbes(): void {
    if (this.#probes === MAX_PROBES && this.#habit.heartbeats === 'unknown') this.#habit.heartbeats = 'ignored';
    this.#probes = 0;
  }

  #probe(): void {
    this.#probes += 1;
    const isHeard =
      this.#habit.heartbeats === 'answered' || (this.#probes === 1 && this.#habit.heartbeats === 'unknown');
    if (isHeard) this.#handlers.heartbeat();
    else this.#handlers.askAnything();
  }
}
