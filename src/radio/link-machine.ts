/**
 * The life of one link as a pure function. The driver (radio.ts) feeds events and does what the status says:
 * `connecting` opens a transport, `retryInMs` arms a timer, `stopped` ends all.
 */

import type { LinkStatus, RadioState } from '../relay/ports.ts';
import { type BackoffRange, fullJitter } from '../util/backoff.ts';

const RETRY: BackoffRange = { baseMs: 1_000, capMs: 30_000 };

/** Wait for our turn when another client took the radio: long enough that neither side burns the radio's time. */
const EVICTED: BackoffRange = { baseMs: 10_000, capMs: 300_000 };

/** A link that lived this long was healthy: backoff and suspicion start afresh. */
const HEALTHY_MS = 60_000;

/** Quick evictions in a row after which we say `kicked`. */
const EVICTIONS_KICKED = 3;

/** Why a link is `stopped` that may come back. */
const RELEASED = 'released';
const FRESH = { attempts: 0, streak: 0, evictions: 0, openedAtMs: null } as const;

export interface LinkState extends RadioState {
  /** Failures in a row without a healthy link; picks the wait. */
  readonly streak: number;
  /** Times in a row that the radio closed a link that worked. */
  readonly evictions: number;
  /** When the present link opened, monotonic; null without one. */
  readonly openedAtMs: number | null;
  /** Wait before the next attempt; null when none is due. */
  readonly retryInMs: number | null;
}

/** How a link was lost. `evicted`: the radio closed it although it worked. `silent`: no answer to probes. */
export type LossKind = 'evicted' | 'silent' | 'failed' | 'refused-by-relay';

export type LinkEvent =
  | { readonly type: 'start' }
  | { readonly type: 'opened' }
  | { readonly type: 'configured' }
  | { readonly type: 'rebooted' }
  | { readonly type: 'lost'; readonly kind: LossKind; readonly reason: string; readonly powerSaving: boolean }
  | { readonly type: 'retry' }
  /** Let go on purpose, for that long or (null) until `claim`; before `start`, too. */
  | { readonly type: 'release'; readonly forMs: number | null }
  | { readonly type: 'claim' }
  | { readonly type: 'stop' };

/** Time and one random number in [0, 1), passed in so that the machine stays pure. */
export interface LinkContext {
  /** Wall clock, for people. */
  readonly nowMs: number;
  /** For differences. */
  readonly monotonicMs: number;
  readonly random: number;
}

export function initialLinkState(nowMs: number): LinkState {
  return {
    status: 'idle',
    sinceMs: nowMs,
    reason: null,
    attempts: 0,
    streak: 0,
    evictions: 0,
    openedAtMs: null,
    retryInMs: null,
  };
}

/** The next state; the same object when the event means nothing in this state. */
export function nextLinkState(state: LinkState, event: LinkEvent, context: LinkContext): LinkState {
  const { status } = state;
  const isReleased = status === 'stopped' && state.reason === RELEASED;
  if (status === 'stopped' && !isReleased) return state;
  switch (event.type) {
    case 'stop':
      return { ...entered(state, 'stopped', context), reason: 'stopped', retryInMs: null, openedAtMs: null };
    case 'start':
      return status === 'idle' ? entered(state, 'connecting', context) : state;
    case 'opened':
      if (status !== 'connecting') return state;
      return { ...entered(state, 'handshaking', context), openedAtMs: context.monotonicMs };
    case 'configured':
      if (status !== 'handshaking') return state;
      return { ...entered(state, 'ready', context), reason: null, attempts: 0 };
    case 'rebooted':
      if (status !== 'ready' && status !== 'handshaking') return state;
      return { ...entered(state, 'handshaking', context), reason: 'the radio restarted' };
    case 'retry':
      if (!isWaiting(status) && !isReleased) return state;
      return { ...entered(state, 'connecting', context), reason: isReleased ? null : state.reason, retryInMs: null };
    case 'release':
      return { ...entered(state, 'stopped', context), ...FRESH, reason: RELEASED, retryInMs: event.forMs };
    case 'claim':
      return isReleased ? { ...entered(state, 'connecting', context), reason: null, retryInMs: null } : state;
    case 'lost':
      return hasLink(status) ? lost(state, event, context) : state;
  }
}

function isWaiting(status: LinkStatus): boolean {
  return status === 'backing-off' || status === 'kicked' || status === 'asleep';
}

function hasLink(status: LinkStatus): boolean {
  return status === 'connecting' || status === 'handshaking' || status === 'ready';
}

function entered(state: LinkState, status: LinkStatus, context: LinkContext): LinkState {
  return { ...state, status, sinceMs: context.nowMs };
}

function lost(state: LinkState, event: Extract<LinkEvent, { type: 'lost' }>, context: LinkContext): LinkState {
  const wasHealthy = state.openedAtMs !== null && context.monotonicMs - state.openedAtMs >= HEALTHY_MS;
  const streak = wasHealthy ? 0 : state.streak;
  const evictions = event.kind === 'evicted' ? (wasHealthy ? 1 : state.evictions + 1) : 0;
  const base = {
    ...state,
    sinceMs: context.nowMs,
    attempts: state.attempts + 1,
    streak: streak + 1,
    evictions,
    openedAtMs: null,
  };
  if (evictions >= 2) {
    return {
      ...base,
      status: evictions >= EVICTIONS_KICKED ? 'kicked' : 'backing-off',
      reason: 'another client took the radio (it serves one at a time)',
      retryInMs: fullJitter(evictions - 2, EVICTED, context.random),
    };
  }
  const isAsleep = event.powerSaving && event.kind !== 'refused-by-relay';
  return {
    ...base,
    status: isAsleep ? 'asleep' : 'backing-off',
    reason: isAsleep ? `the radio saves power and sleeps: ${event.reason}` : event.reason,
    retryInMs: fullJitter(streak, RETRY, context.random),
  };
}
