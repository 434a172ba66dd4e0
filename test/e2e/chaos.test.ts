import { inject, it } from 'vitest';
import { chaosSeed, chaosSize } from '../chaos/support/random.ts';
import { runStorm } from '../chaos/support/run-storm.ts';
import { chaosSynapse } from './support/chaos-synapse.ts';

/**
 * The promise, tried: the relay between a radio with the firmware's rules and a real Synapse, on a clock that runs
 * `FACTOR` times faster for relay and radio, under load both ways, while processes die and links break.
 * MMRELAY_CHAOS_SEED repeats a storm; MMRELAY_CHAOS_KILLS, _CUTS and _OUTAGES change its size. What counts as lost:
 * test/chaos/support/ledger.ts.
 */
const FACTOR = 20;
const missing = inject('pythonMissing').synapse;
const title = 'a storm of kills, radio cuts and homeserver outages loses, doubles and reorders nothing';

it.skipIf(missing !== null)(
  missing === null ? title : `${title} (${missing})`,
  { retry: 0, timeout: 1_800_000 },
  async () => {
    const sizes = {
      kills: chaosSize('KILLS', 200),
      cuts: chaosSize('CUTS', 100),
      outages: chaosSize('OUTAGES', 20),
    };
    const originMs = Date.now();
    const homeserver = await chaosSynapse(FACTOR);
    try {
      const atLeast = sizes.kills + sizes.cuts;
      const pace = { pauseMs: 1_500, calmMs: 45_000, atLeast, factor: FACTOR, originMs };
      await runStorm(homeserver, { ...sizes, ...pace, seed: chaosSeed() });
    } finally {
      await homeserver.close();
    }
  },
);
