import { expect, it } from 'vitest';
import { HttpFailure } from '../../src/matrix/http.ts';
import { forgetfulMemory } from '../../src/matrix/room-memory.ts';
import { RoomUpgrades } from '../../src/matrix/room-upgrades.ts';
import { Rooms } from '../../src/matrix/rooms.ts';
import { silentLogger } from '../../src/util/logger.ts';
import { ManualClock } from '../../src/util/manual-clock.ts';

const YEAR_MS = 365 * 24 * 3_600_000;

it('a room that could not be joined is tried again in time, though the wall clock was set back a year', async () => {
  const clock = new ManualClock();
  let isClosed = true;
  const request = async (method: string): Promise<Record<string, never>> => {
    if (method === 'POST' && isClosed) {
      const body = { errcode: 'M_FORBIDDEN', error: 'not invited' };
      throw new HttpFailure('status', 'not invited', { status: 403, retryAfterMs: null, body });
    }
    return {};
  };
  const rooms = new Rooms({
    mapped: ['!room:ex.org'],
    api: { request },
    clock,
    random: () => 0.5,
    logger: silentLogger,
    aliasesOf: () => [],
    welcomes: () => false,
    upgrades: new RoomUpgrades(forgetfulMemory(), silentLogger),
    onMoved: () => undefined,
  });
  await expect(rooms.resolve('!room:ex.org')).rejects.toThrow('not invited');
  isClosed = false;

  clock.step(-YEAR_MS);
  await clock.advance(60_000);

  expect(await rooms.resolve('!room:ex.org')).toBe('!room:ex.org');
});
