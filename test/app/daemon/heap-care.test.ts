import { describe, expect, it } from 'vitest';
import { exposeCollector, startHeapCare } from '../../../src/app/daemon/heap-care.ts';
import { ManualClock } from '../../../src/util/manual-clock.ts';

const MIB = 1_048_576;

/** A process of that size whose collections are counted; each leaves it as small as `floorMib`. */
function processOf(mib: number) {
  const world = { mib, floorMib: 90, quick: 0, thorough: 0 };
  const clock = new ManualClock();
  const stop = startHeapCare({
    clock,
    residentBytes: () => world.mib * MIB,
    collector: {
      quick: () => {
        world.quick += 1;
        world.mib = world.floorMib + 8;
      },
      thorough: () => {
        world.thorough += 1;
        world.mib = world.floorMib;
      },
    },
  });
  return { world, clock, stop };
}

describe('care of the heap', () => {
  it('collects while the start makes it grow, thoroughly once when that is over, and then leaves it alone', async () => {
    const { world, clock, stop } = processOf(110);
    await clock.advance(2_000);
    expect(world).toMatchObject({ quick: 1, thorough: 0 });
    world.mib = 120;
    await clock.advance(2_000);
    expect(world).toMatchObject({ quick: 2, thorough: 0 });

    await clock.advance(600_000);

    expect(world).toMatchObject({ quick: 2, thorough: 1, mib: 90 });
    stop();
    expect(clock.pending()).toBe(0);
  });

  it('collects again for each growth of a rush, and gives back what the rush took', async () => {
    const { world, clock } = processOf(85);
    await clock.advance(60_000);
    expect(world).toMatchObject({ quick: 0, thorough: 1 });
    world.mib = 95;
    await clock.advance(60_000);
    expect(world).toMatchObject({ quick: 0, thorough: 1 });

    for (let n = 0; n < 10; n += 1) {
      world.mib += 20;
      await clock.advance(2_000);
    }
    expect(world).toMatchObject({ quick: 10, thorough: 1 });
    await clock.advance(60_000);

    expect(world).toMatchObject({ quick: 10, thorough: 2, mib: 90 });
  });

  it('does not take what lives on for growth', async () => {
    const { world, clock } = processOf(90);
    world.floorMib = 150;
    world.mib = 160;
    await clock.advance(600_000);
    expect(world).toMatchObject({ quick: 1, thorough: 1, mib: 150 });
  });

  it("reaches V8's collector", async () => {
    const { quick, thorough } = exposeCollector();
    for (const collect of [quick, thorough]) {
      const held = new WeakRef({ big: new Uint8Array(MIB) });
      // A WeakRef keeps its target to the end of the turn that made it.
      await new Promise((next) => setImmediate(next));
      collect();
      expect(held.deref()).toBeUndefined();
    }
  });
});
