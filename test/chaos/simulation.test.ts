import { expect, it } from 'vitest';
import { Simulation } from './sim/simulation.ts';
import { chaosSize } from './support/random.ts';

/**
 * MMRELAY_CHAOS_SEEDS simulations of MMRELAY_CHAOS_ROUNDS rounds each, the first with MMRELAY_CHAOS_SEED. Fixed seeds when
 * nothing is given: what is found by others becomes a test of its own.
 */
const FIRST = chaosSize('SEED', 1);
const SEEDS = chaosSize('SEEDS', 3);
const ROUNDS = chaosSize('ROUNDS', 300);
const seeds = Array.from({ length: SEEDS }, (_, index) => FIRST + index);
const NOTHING = { lost: [], duplicated: [], reordered: [] };

it.each(
  seeds.flatMap((seed) => [{ seed, radios: 1 } as const, { seed, radios: 2 } as const]),
)('deaths, cuts, refusals, outages, full disks and set clocks at once lose, double and reorder nothing (seed $seed, radios: $radios)', async ({
  seed,
  radios,
}) => {
  const report = await new Simulation({ seed, radios, rounds: ROUNDS }).run();

  expect(report).toMatchObject({ toMatrix: NOTHING, toMesh: { lost: [] }, dangling: [], fatal: [] });
  // Between two radios one text in hundreds may go twice, or beside another: whether a radio that is gone has sent it,
  // nobody can know, and two radios on the air do not wait for each other.
  const { duplicated, reordered } = report.toMesh;
  expect(duplicated.length + reordered.length).toBeLessThanOrEqual(radios === 1 ? 0 : 2);
  expect(Math.min(report.counted.aired ?? 0, report.counted.sent ?? 0)).toBeGreaterThan(ROUNDS / 10);
}, 120_000);
