/** The firmware drops a text that follows the last accepted one within 2 s (PhoneAPI.cpp, TWO_SECONDS_MS). */
const FIRMWARE_TEXT_GAP_MS = 2_000;
/**
 * Of these it takes one in so long from a client, and drops others without a word: position, waypoint, alert, telemetry;
 * traceroute (PhoneAPI.cpp, lastPortNumToRadio).
 */
const SLOW_PORTS_MS: ReadonlyMap<number, number> = new Map([
  [3, 10_000],
  [8, 10_000],
  [11, 10_000],
  [67, 10_000],
  [70, 30_000],
]);
/** Clocks of two machines differ a little, and the firmware counts in whole ticks. */
const MARGIN_MS = 15;

export interface PacingState {
  /** Monotonic time before which no text leaves. */
  readonly notBeforeMs: number;
  /** Free places in the radio's transmit queue; null until it told. */
  readonly free: number | null;
  /** Monotonic time before which no packet of a slow port leaves, by port. */
  readonly portsMs: ReadonlyMap<number, number>;
}

export const FRESH_PACING: PacingState = { notBeforeMs: 0, free: null, portsMs: new Map() };

/** The radio has answered for a packet of this port at `atMs`. */
export function notePort(state: PacingState, portnum: number, atMs: number): PacingState {
  const gapMs = SLOW_PORTS_MS.get(portnum);
  if (gapMs === undefined) return state;
  return { ...state, portsMs: new Map([...state.portsMs, [portnum, atMs + gapMs + MARGIN_MS]]) };
}

/** Monotonic time before which a packet of this port would be dropped by the radio, whatever the pause between texts. */
export function portOpenMs(state: PacingState, portnum: number): number {
  return state.portsMs.get(portnum) ?? 0;
}

/** The same with the pause between texts, which packets of ours wait for. */
export function portFreeMs(state: PacingState, portnum: number): number {
  return Math.max(state.notBeforeMs, portOpenMs(state, portnum));
}

/**
 * The radio has answered for a text at `atMs`: it had taken it before that, so two seconds from here are two seconds
 * from its own reckoning at the least, whatever the link's delays.
 */
export function paceAfter(state: PacingState, atMs: number, gapMs: number): PacingState {
  return {
    ...state,
    notBeforeMs: Math.max(state.notBeforeMs, atMs + Math.max(gapMs, FIRMWARE_TEXT_GAP_MS) + MARGIN_MS),
  };
}

/** No text before `atMs + delayMs`, for a radio that asked for time. */
export function holdUntil(state: PacingState, atMs: number, delayMs: number): PacingState {
  return { ...state, notBeforeMs: Math.max(state.notBeforeMs, atMs + delayMs) };
}

/**
 * A queue status. A full transmit queue empties by itself, one packet in its air time, without telling us: look again
 * after `airtimeMs`.
 */
export function noteQueue(
  state: PacingState,
  free: number,
  options: { readonly atMs: number; readonly airtimeMs: number },
): PacingState {
  const next = { ...state, free };
  return free > 0 ? next : holdUntil(next, options.atMs, Math.max(options.airtimeMs, FIRMWARE_TEXT_GAP_MS));
}
