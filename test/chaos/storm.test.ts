import { it } from 'vitest';
import { scaledClock } from '../support/scaled-clock.ts';
import { memoryHomeserver } from './support/chaos-homeserver.ts';
import { chaosSeed, chaosSize } from './support/random.ts';
import { runStorm } from './support/run-storm.ts';

const FACTOR = 20;
const SIZES = { kills: chaosSize('KILLS', 5), cuts: chaosSize('CUTS', 5), outages: chaosSize('OUTAGES', 5) };
const FAULT_MS = 5_000;

// The small, hermetic sister of test/e2e/chaos.test.ts: seconds, not minutes.
it(
  'a small storm: kills, radio cuts and outages under load lose, double and reorder nothing',
  async () => {
    const originMs = Date.now();
    const homeserver = await memoryHomeserver(scaledClock(FACTOR, originMs));
    try {
      const pace = { pauseMs: 700, calmMs: 15_000, atLeast: 10 };
      await runStorm(homeserver, { ...SIZES, ...pace, factor: FACTOR, originMs, seed: chaosSeed() });
    } finally {
      await homeserver.close();
    }
  },
  90_000 + (SIZES.kills + SIZES.cuts + SIZES.outages) * FAULT_MS,
);
