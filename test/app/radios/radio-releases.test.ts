import { expect, test } from 'vitest';
import { RadioReleases } from '../../../src/app/radios/radio-releases.ts';
import type { RadioState } from '../../../src/relay/ports.ts';
import { openStore } from '../../../src/store/open-store.ts';
import { silentLogger } from '../../../src/util/logger.ts';
import { ManualClock } from '../../../src/util/manual-clock.ts';
import { FakeRadio } from '../../support/fake-ports.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** A device that can be let go, as the radio adapter does it. */
class Device extends FakeRadio {
  readonly releasedFor: number[] = [];
  readonly #clock: ManualClock;
  #isReleased = false;

  constructor(name: string, clock: ManualClock) {
    super(name);
    this.#clock = clock;
  }

  async release(forMs: number): Promise<void> {
    this.releasedFor.push(forMs);
    this.#isReleased = true;
    this.#clock.after(forMs, () => this.claim());
  }

  claim(): void {
    this.#isReleased = false;
  }

  override state(): RadioState {
    return this.#isReleased ? { ...super.state(), status: 'stopped', reason: 'released' } : super.state();
  }
}

function rig(names: readonly string[] = ['default'], clock = new ManualClock(1_750_000_000_000)) {
  const { values } = openStore({ path: ':memory:', clock, logger: silentLogger });
  const run = () => {
    const radios = new Map(names.map((name) => [name, new Device(name, clock)]));
    const releases = new RadioReleases({ radios, values, clock, logger: silentLogger });
    return { releases, radio: (name: string) => radios.get(name) as Device };
  };
  return { clock, values, run };
}

test('a radio is released until its time is over, and knows until when', async () => {
  const { clock, run } = rig();
  const { releases } = run();
  expect(await releases.release(null, 10 * MINUTE_MS)).toEqual({
    radio: 'default',
    untilMs: clock.now() + 10 * MINUTE_MS,
  });
  expect(releases.untilMs('default')).toBe(clock.now() + 10 * MINUTE_MS);
  await clock.advance(10 * MINUTE_MS);
  expect(releases.untilMs('default')).toBeNull();
});

test('it can be taken back before, once', async () => {
  const { releases } = rig().run();
  await releases.release('default', MINUTE_MS);
  expect(releases.claim('default')).toEqual({ radio: 'default' });
  expect(releases.untilMs('default')).toBeNull();
  expect(() => releases.claim(null)).toThrow('Radio default is not released');
});

test('a restart does not take it from under its guest, and the time goes on', async () => {
  const { clock, run } = rig();
  await run().releases.release(null, 10 * MINUTE_MS);
  await clock.advance(4 * MINUTE_MS);
  const second = run();
  second.releases.restore();
  expect(second.radio('default').releasedFor).toEqual([6 * MINUTE_MS]);
  await clock.advance(7 * MINUTE_MS);
  const third = run();
  third.releases.restore();
  expect(third.radio('default').releasedFor).toEqual([]);
});

test('a clock that was set back does not keep a radio away for years', async () => {
  const { clock, values, run } = rig();
  values.set('radio_released_until:default', String(clock.now() + 400 * DAY_MS));
  const { releases, radio } = run();
  releases.restore();
  expect(radio('default').releasedFor).toEqual([]);
});

test('every release has an end, and a radio has to be named where there are several', async () => {
  const { releases } = rig(['roof', 'cellar']).run();
  await expect(releases.release(null, MINUTE_MS)).rejects.toThrow('Which radio? There are roof, cellar');
  await expect(releases.release('attic', MINUTE_MS)).rejects.toThrow('There is no radio attic; there is roof, cellar');
  for (const forMs of [Number.NaN, 0, 9_999, 7 * DAY_MS + 1, Number.POSITIVE_INFINITY])
    await expect(releases.release('roof', forMs)).rejects.toThrow('10 s at least and 7 days at most');
  expect((await releases.release('roof', 7 * DAY_MS)).radio).toBe('roof');
  expect(releases.claim(null)).toEqual({ radio: 'roof' });
});

test('a link to a broker is nobody to be released', async () => {
  const clock = new ManualClock(0);
  const { values } = openStore({ path: ':memory:', clock, logger: silentLogger });
  const radios = new Map([['mqtt', new FakeRadio('mqtt')]]);
  const releases = new RadioReleases({ radios, values, clock, logger: silentLogger });
  await expect(releases.release(null, MINUTE_MS)).rejects.toThrow('which everybody can share');
});
