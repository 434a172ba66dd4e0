import { expect, test } from 'vitest';
import { type LinkEpisode, LinkHistory, noteState } from '../../../src/app/daemon/link-history.ts';
import type { LinkStatus, RadioState } from '../../../src/relay/ports.ts';

const state = (status: LinkStatus, change: Partial<RadioState> = {}): RadioState => ({
  status,
  sinceMs: 1,
  reason: null,
  attempts: 0,
  ...change,
});

function after(...states: readonly RadioState[]): readonly LinkEpisode[] {
  return states.reduce<readonly LinkEpisode[]>(noteState, []);
}

test('a start is one episode, then it is up', () => {
  const episodes = after(state('connecting'), state('handshaking'), state('ready', { sinceMs: 5 }));
  expect(episodes).toEqual([
    { state: 'down', sinceMs: 1, reason: null, attempts: 0 },
    { state: 'up', sinceMs: 5, reason: null, attempts: 0 },
  ]);
});

test('however often it is tried, an outage is one episode with its last reason', () => {
  const outage = Array.from({ length: 500 }, (_, index) => [
    state('backing-off', { sinceMs: 10 + index, reason: `refused ${index}`, attempts: index + 1 }),
    state('connecting', { sinceMs: 10 + index, attempts: index + 1 }),
  ]).flat();
  expect(after(state('ready'), ...outage).at(-1)).toEqual({
    state: 'down',
    sinceMs: 10,
    reason: 'refused 499',
    attempts: 500,
  });
});

test('asleep, released, and the end of the relay, which is none', () => {
  const episodes = after(
    state('ready'),
    state('asleep', { reason: 'saves power' }),
    state('connecting'),
    state('asleep', { reason: 'saves power' }),
    state('stopped', { reason: 'released' }),
    state('connecting'),
    state('ready'),
    state('stopped', { reason: 'stopped' }),
  );
  expect(episodes.map((episode) => episode.state)).toEqual(['up', 'asleep', 'released', 'down', 'up']);
});

test('keeps the last twenty of each link', () => {
  const history = new LinkHistory();
  for (let round = 0; round < 50; round += 1) {
    history.observer.onRadioState('roof', state('ready', { sinceMs: round }));
    history.observer.onRadioState('roof', state('backing-off', { sinceMs: round, reason: 'cut', attempts: 1 }));
  }
  history.observer.onMatrixState({ ...state('ready'), status: 'syncing', lastSyncMs: 0 });
  const { 'radio:roof': roof = [], matrix } = history.all();
  expect([roof.length, roof[0]?.sinceMs, matrix?.length]).toEqual([20, 40, 1]);
});
