import { describe, expect, it } from 'vitest';
import { exposeCollector, startHeapCare } from '../../../src/app/daemon/heap-care.ts';
import { ManualClock } from '../../../src/util/manual-clock.ts';

const MIB = 1_048_576;

describe('care of the heap', () => {
  it('collects when memory has grown, and leaves a process alone that does not grow', async () => {
    const clock = new ManualClock();
    const world = { mib: 80, collections: 0 };
    const collect = (): void => {
      world.collections += 1;
      world.mib = 100;
    };
    const stop = startHeapCare({ clock, residentBytes: () => world.mib * MIB, collect });

    await clock.advance(60_000);
    expect(world.collections).toBe(0);
    world.mib = 160;
    await clock.advance(5_000);
    expect(world.collections).toBe(1);
    await clock.advance(600_000);
    expect(world.collections).toBe(1);
    world.mib = 107;
    await clock.advance(5_000);
    expect(world.collections).toBe(2);

    stop();
    expect(clock.pending()).toBe(0);
  });

  it("reaches V8's collector", () => {
    const collect = exposeCollector();
    const held = new WeakRef({ big: new Uint8Array(MIB) });

    collect();

    expect(collect).not.toThrow();
    expect(held).toBeInstanceOf(WeakRef);
  });
});
