import type { RelayObserver } from '../../relay/observer.ts';
import type { MatrixState, RadioState } from '../../relay/ports.ts';

/** A stretch of time in which a link was up, was down however often it was tried, or was somebody else's. */
export interface LinkEpisode {
  readonly state: 'up' | 'down' | 'asleep' | 'released';
  readonly sinceMs: number;
  /** Why it is down, by the last attempt; null while it is up or tried for the first time. */
  readonly reason: string | null;
  /** Attempts that failed. */
  readonly attempts: number;
}

const MAX_EPISODES = 20;

/**
 * What became of each link since the start, for doctor and `mmrelay status`. One per daemon. Holds the last episodes of
 * each link; a hundred failed attempts are one of them, so that an outage of a day does not push out what was before.
 */
export class LinkHistory {
  readonly #episodes = new Map<string, readonly LinkEpisode[]>();

  readonly observer: Pick<RelayObserver, 'onMatrixState' | 'onRadioState'> = {
    onMatrixState: (state) => this.#note('matrix', state),
    onRadioState: (radio, state) => this.#note(`radio:${radio}`, state),
  };

  /** By `matrix` and `radio:<name>`, oldest first. */
  all(): Readonly<Record<string, readonly LinkEpisode[]>> {
    return Object.fromEntries(this.#episodes);
  }

  #note(link: string, state: RadioState | MatrixState): void {
    this.#episodes.set(link, noteState(this.#episodes.get(link) ?? [], state).slice(-MAX_EPISODES));
  }
}

/** The episodes after a link has told its state. Pure. */
export function noteState(
  episodes: readonly LinkEpisode[],
  { status, sinceMs, reason, attempts }: RadioState | MatrixState,
): readonly LinkEpisode[] {
  if (status === 'idle' || (status === 'stopped' && reason !== 'released')) return episodes;
  const state = EPISODES[status] ?? 'down';
  const last = episodes.at(-1);
  // A radio that saves power is woken now and then; as long as that fails it sleeps.
  if (last?.state === 'asleep' && (status === 'connecting' || status === 'handshaking')) return episodes;
  const why = state === 'up' || state === 'released' ? null : reason;
  if (last?.state !== state) return [...episodes, { state, sinceMs, reason: why, attempts }];
  // A new attempt has no reason yet: the last one's stands until it fails or comes up.
  const known = { ...last, reason: why ?? (state === 'up' ? null : last.reason), attempts };
  return [...episodes.slice(0, -1), known];
}

const EPISODES: Readonly<Record<string, LinkEpisode['state']>> = {
  ready: 'up',
  syncing: 'up',
  asleep: 'asleep',
  stopped: 'released',
};
