import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { initialLinkState, type LinkEvent, type LinkState, nextLinkState } from '../../src/radio/link-machine.ts';
import type { LinkStatus } from '../../src/relay/ports.ts';

const lost = (kind: 'evicted' | 'silent' | 'failed' | 'refused-by-relay', powerSaving = false): LinkEvent => ({
  type: 'lost',
  kind,
  reason: 'why',
  powerSaving,
});

/** Runs steps of [seconds since the step before, event]; random is 0.999, so waits show their ceiling. */
function run(steps: readonly (readonly [number, LinkEvent])[], random = 0.999): LinkState {
  let state = initialLinkState(0);
  let nowMs = 0;
  for (const [afterS, event] of steps) {
    nowMs += afterS * 1000;
    state = nextLinkState(state, event, { nowMs, monotonicMs: nowMs, random });
  }
  return state;
}

const START = [0, { type: 'start' }] as const;
const OPENED = [0, { type: 'opened' }] as const;
const CONFIGURED = [0, { type: 'configured' }] as const;
const RETRY = [0, { type: 'retry' }] as const;
const RELEASE: LinkEvent = { type: 'release', forMs: 1_000 };
const READY = [START, OPENED, CONFIGURED] as const;
const AGAIN = [RETRY, OPENED, CONFIGURED] as const;

describe('link machine', () => {
  it.each<[string, readonly (readonly [number, LinkEvent])[], LinkStatus, string | null, number]>([
    ['begins idle', [], 'idle', null, 0],
    ['start connects', [START], 'connecting', null, 0],
    ['open begins the handshake', [START, OPENED], 'handshaking', null, 0],
    ['configuration makes it ready', READY, 'ready', null, 0],
    ['a refused open backs off', [START, [0, lost('failed')]], 'backing-off', 'why', 1],
    ['retry connects again', [START, [0, lost('failed')], RETRY], 'connecting', 'why', 1],
    ['ready clears reason and attempts', [START, [0, lost('failed')], ...AGAIN], 'ready', null, 0],
    ['a restart shakes hands in place', [...READY, [9, { type: 'rebooted' }]], 'handshaking', 'the radio restarted', 0],
    ['and gets ready again', [...READY, [9, { type: 'rebooted' }], CONFIGURED], 'ready', null, 0],
    [
      'a silent power saver sleeps',
      [...READY, [99, lost('silent', true)]],
      'asleep',
      'the radio saves power and sleeps: why',
      1,
    ],
    [
      'and is tried again',
      [...READY, [99, lost('silent', true)], RETRY],
      'connecting',
      'the radio saves power and sleeps: why',
      1,
    ],
    ['a full store is no sleep', [...READY, [99, lost('refused-by-relay', true)]], 'backing-off', 'why', 1],
    ['released before the start it waits', [[0, RELEASE], START], 'stopped', 'released', 0],
    ['a release that is over connects, without a reason', [...READY, [0, RELEASE], RETRY], 'connecting', null, 0],
    ['stop ends it', [...READY, [0, { type: 'stop' }]], 'stopped', 'stopped', 0],
    ['stop ends a wait', [START, [0, lost('failed')], [0, { type: 'stop' }]], 'stopped', 'stopped', 1],
    ['nothing leaves stopped', [...READY, [0, { type: 'stop' }], START, RETRY], 'stopped', 'stopped', 0],
  ])('%s', (_name, steps, status, reason, attempts) => {
    expect(run(steps)).toMatchObject({ status, reason, attempts });
  });

  it.each<[LinkStatus, readonly (readonly [number, LinkEvent])[], readonly LinkEvent[]]>([
    ['idle', [], [{ type: 'opened' }, { type: 'configured' }, { type: 'rebooted' }, { type: 'retry' }, lost('failed')]],
    ['connecting', [START], [{ type: 'start' }, { type: 'configured' }, { type: 'rebooted' }, { type: 'retry' }]],
    ['handshaking', [START, OPENED], [{ type: 'start' }, { type: 'opened' }, { type: 'retry' }]],
    ['ready', READY, [{ type: 'start' }, { type: 'opened' }, { type: 'configured' }, { type: 'retry' }]],
    [
      'backing-off',
      [START, [0, lost('failed')]],
      [{ type: 'start' }, { type: 'opened' }, { type: 'configured' }, lost('failed')],
    ],
  ])('%s ignores what cannot happen in it', (_status, steps, events) => {
    const state = run(steps);
    for (const event of events)
      expect(nextLinkState(state, event, { nowMs: 5, monotonicMs: 5, random: 0.5 })).toBe(state);
  });

  it('backs off to 30 s, never below half a second, and for ever', () => {
    const waits: (number | null)[] = [];
    let state = run([START]);
    for (let round = 0; round < 2000; round += 1) {
      state = nextLinkState(state, lost('failed'), { nowMs: 0, monotonicMs: 0, random: round < 8 ? 0.9999 : 0 });
      waits.push(state.retryInMs);
      state = nextLinkState(state, { type: 'retry' }, { nowMs: 0, monotonicMs: 0, random: 0 });
    }
    expect(waits.slice(0, 8)).toEqual([1000, 2000, 4000, 7999, 15998, 29997, 29997, 29997]);
    expect(new Set(waits.slice(8))).toEqual(new Set([500]));
    expect(state.attempts).toBe(2000);
  });

  it('suspects, then names, then yields to a client that keeps taking the radio', () => {
    const evicted = [3, lost('evicted')] as const;
    const once = [...READY, evicted] as const;
    expect(run(once)).toMatchObject({ status: 'backing-off', reason: 'why', retryInMs: 999 });
    const twice = [...once, ...AGAIN, evicted] as const;
    const named = 'another client took the radio (it serves one at a time)';
    expect(run(twice)).toMatchObject({ status: 'backing-off', reason: named, retryInMs: 9990 });
    const thrice = [...twice, ...AGAIN, evicted] as const;
    expect(run(thrice)).toMatchObject({ status: 'kicked', reason: named, retryInMs: 19980 });
    const often = Array.from({ length: 10 }, () => [...AGAIN, evicted] as const).flat();
    expect(run([...thrice, ...often]).retryInMs).toBe(299_700);
    expect(run([...thrice, ...often], 0).retryInMs).toBe(5_000);
  });

  it('forgets the fight after a minute of peace, and after any other kind of loss', () => {
    const fight = [...READY, [3, lost('evicted')], ...AGAIN, [3, lost('evicted')]] as const;
    expect(run([...fight, ...AGAIN, [60, lost('evicted')]])).toMatchObject({ evictions: 1, retryInMs: 999 });
    expect(run([...fight, RETRY, [0, lost('failed')]])).toMatchObject({
      evictions: 0,
      status: 'backing-off',
      reason: 'why',
    });
  });

  it('always has a way on: waiting states carry a wait, others none', () => {
    const events = fc.constantFrom<LinkEvent>(
      { type: 'start' },
      { type: 'opened' },
      { type: 'configured' },
      { type: 'rebooted' },
      { type: 'retry' },
      lost('evicted'),
      lost('silent', true),
      lost('failed'),
      lost('refused-by-relay'),
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(90), events), { maxLength: 60 }),
        fc.double({ min: 0, max: 0.99, noNaN: true }),
        (steps, random) => {
          const { status, retryInMs } = run(steps, random);
          if (['backing-off', 'kicked', 'asleep'].includes(status)) expect(retryInMs).toBeGreaterThanOrEqual(500);
          else expect(retryInMs).toBeNull();
        },
      ),
    );
  });
});
