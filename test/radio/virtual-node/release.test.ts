import { describe, expect, it } from 'vitest';
import { initialLinkState, type LinkEvent, type LinkState, nextLinkState } from '../../../src/radio/link-machine.ts';

const CONTEXT = { nowMs: 1_000, monotonicMs: 1_000, random: 0.5 };
const LOST: LinkEvent = { type: 'lost', kind: 'failed', reason: 'cut', powerSaving: false };
const forEver: LinkEvent = { type: 'release', forMs: null };

function linkAfter(...events: LinkEvent[]): LinkState {
  return events.reduce((state, event) => nextLinkState(state, event, CONTEXT), initialLinkState(0));
}

const UP: LinkEvent[] = [{ type: 'start' }, { type: 'opened' }, { type: 'configured' }];

describe('a radio that is let go', () => {
  it.each<[string, LinkEvent[]]>([
    ['ready', UP],
    ['connecting', [{ type: 'start' }]],
    ['waiting for its next attempt', [{ type: 'start' }, LOST]],
  ])('while %s is stopped for a reason', (_what, events) => {
    expect(linkAfter(...events, forEver)).toMatchObject({
      status: 'stopped',
      reason: 'released',
      attempts: 0,
      retryInMs: null,
    });
  });

  it('stays so, whatever the link still says', () => {
    const released = linkAfter(...UP, forEver);
    for (const event of [LOST, { type: 'opened' }, { type: 'configured' }, { type: 'rebooted' }] as const)
      expect(nextLinkState(released, event, CONTEXT)).toBe(released);
  });

  it('is taken back by claim, or when its time is up', () => {
    expect(linkAfter(...UP, forEver, { type: 'claim' })).toMatchObject({ status: 'connecting', reason: null });
    const forAWhile = linkAfter(...UP, { type: 'release', forMs: 600_000 });
    expect(forAWhile.retryInMs).toBe(600_000);
    expect(nextLinkState(forAWhile, { type: 'retry' }, CONTEXT)).toMatchObject({
      status: 'connecting',
      retryInMs: null,
    });
  });

  it('may be stopped for good, and then not claimed', () => {
    expect(linkAfter(...UP, forEver, { type: 'stop' }, { type: 'claim' })).toMatchObject({
      status: 'stopped',
      reason: 'stopped',
    });
  });

  it('is not taken by a claim that nobody released', () => {
    const up = linkAfter(...UP);
    expect(nextLinkState(up, { type: 'claim' }, CONTEXT)).toBe(up);
  });
});
