import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/util/manual-clock.ts';
import { ReferenceClock } from '../../src/util/reference-clock.ts';
import { RelayError } from '../../src/util/relay-error.ts';
import { type EngineFixture, startEngine } from '../support/engine-fixture.ts';
import { packet, roomEvent } from '../support/relay-fixture.ts';

const YEAR_MS = 365 * 24 * 3_600_000;
const BOTH = { rooms: ['[!0a11ce01/Home]: from the hills'], mesh: ['Alice[M]: from the room'] };

/** A run that takes a message from each side and delivers none. */
async function deafRun(clock: ManualClock, path: string): Promise<void> {
  const f = await startEngine({ clock, path, prepare: ({ radio }) => radio.setReady(false) });
  f.matrix.refuse = () => new RelayError('MATRIX_UNREACHABLE', 'no time, no TLS', { retry: { kind: 'later' } });
  f.radio.sink?.onPacket(packet({ text: 'from the hills' }));
  f.matrix.sync([roomEvent({ eventId: '$a', body: 'from the room', timestampMs: clock.now() })]);
  await clock.advance(20_000);
  await f.engine.stop();
  f.store.close();
}

async function delivered(f: EngineFixture): Promise<unknown> {
  await f.clock.advance(120_000);
  return { rooms: f.matrix.bodies(), mesh: f.radio.texts() };
}

function databasePath(): string {
  return join(mkdtempSync(join(tmpdir(), 'mmrelay-clock-')), 'relay.sqlite');
}

describe('a clock that is set forward', () => {
  it('just before a crash, ages nothing: the next run of this boot sees how far it went', async () => {
    const clock = new ManualClock(0, 'boot-1');
    const path = databasePath();
    await deafRun(clock, path);

    clock.step(56 * YEAR_MS);

    expect(await delivered(await startEngine({ clock, path }))).toEqual(BOTH);
  });

  it('by NTP after two runs without it, ages nothing of either', async () => {
    const clock = new ManualClock(0, 'boot-1');
    const path = databasePath();
    await deafRun(clock, path);
    const f = await startEngine({ clock, path, prepare: ({ radio }) => radio.setReady(false) });

    clock.step(56 * YEAR_MS);
    await clock.advance(20_000);
    f.radio.setReady(true);

    expect(await delivered(f)).toEqual(BOTH);
  });

  it('by a boot with NTP after one that never learned the date, ages nothing', async () => {
    const path = databasePath();
    await deafRun(new ManualClock(0, 'boot-1'), path);

    const clock = new ManualClock(1_750_000_000_000, 'boot-2');

    expect(await delivered(await startEngine({ clock, path }))).toEqual(BOTH);
  });

  it('by a boot after one that knew the date: what is left is as old as it looks', async () => {
    const path = databasePath();
    await deafRun(new ManualClock(1_750_000_000_000, 'boot-1'), path);

    const clock = new ManualClock(1_750_000_000_000 + YEAR_MS, 'boot-2');
    const f = await startEngine({ clock, path });

    expect(await delivered(f)).toMatchObject({ mesh: [] });
  });
});

describe('the reference clock', () => {
  it.each([-YEAR_MS, YEAR_MS])('goes by the homeserver while the machine is %i ms off', async (offMs) => {
    const machine = new ManualClock(1_750_000_000_000);
    const clock = new ReferenceClock(machine);
    const trueMs = (): number => machine.monotonic();
    machine.step(offMs);
    expect(clock.hear(trueMs())).toBe('wrong');
    await machine.advance(5_000);
    expect(clock.now()).toBe(trueMs());

    machine.step(-offMs);
    expect(clock.now()).toBe(trueMs());
    expect(clock.hear(trueMs() - 900)).toBe('right');
    machine.step(30_000);
    expect(clock.now()).toBe(trueMs() + 30_000);
  });
});
