import { describe, expect, it } from 'vitest';
import { HttpFailure } from '../../../src/matrix/http.ts';
import { forgetfulMemory } from '../../../src/matrix/rooms/room-memory.ts';
import { RoomUpgrades } from '../../../src/matrix/rooms/room-upgrades.ts';
import { Rooms, type RoomsOptions } from '../../../src/matrix/rooms/rooms.ts';
import type { SyncSections } from '../../../src/matrix/sync/sync-answer.ts';
import type { JsonObject } from '../../../src/util/json.ts';
import { silentLogger } from '../../../src/util/logger.ts';
import { ManualClock } from '../../../src/util/manual-clock.ts';

const YEAR_MS = 365 * 24 * 3_600_000;

function newRooms(options: Pick<RoomsOptions, 'mapped' | 'api'> & Partial<RoomsOptions>): Rooms {
  return new Rooms({
    clock: new ManualClock(),
    random: () => 0.5,
    logger: silentLogger,
    aliasesOf: () => [],
    welcomes: () => false,
    upgrades: new RoomUpgrades(forgetfulMemory(), silentLogger),
    onMoved: () => undefined,
    ...options,
  });
}

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
  const rooms = newRooms({ mapped: ['!room:ex.org'], api: { request }, clock });
  await expect(rooms.resolve('!room:ex.org')).rejects.toThrow('not invited');
  isClosed = false;

  clock.step(-YEAR_MS);
  await clock.advance(60_000);

  expect(await rooms.resolve('!room:ex.org')).toBe('!room:ex.org');
});

describe('an invite is written by whoever sends it', () => {
  const EVIL = '!evil:far.org';

  function invited(state: readonly JsonObject[]): SyncSections {
    return { joined: [], left: [], invited: new Map([[EVIL, state]]), empty: false };
  }

  /** A directory with one alias; remembers who was joined. */
  function homeserver(behindAlias: string) {
    const joins: string[] = [];
    const request = async (method: string, path: string): Promise<JsonObject> => {
      if (path.includes('/directory/')) return { room_id: behindAlias };
      if (method === 'POST') joins.push(decodeURIComponent(path.slice(path.lastIndexOf('/') + 1)));
      return {};
    };
    return { joins, api: { request } };
  }

  it('so an alias in it is looked up, and does not bend a mapping to another room', async () => {
    const { joins, api } = homeserver('!real:ex.org');
    const rooms = newRooms({ mapped: ['#mesh:ex.org'], api });
    const claim = { type: 'm.room.canonical_alias', state_key: '', content: { alias: '#mesh:ex.org' } };

    for (let sync = 0; sync < 2; sync += 1) {
      rooms.onSync(invited([claim]));
      await rooms.tend();
    }

    expect(joins).toEqual(['#mesh:ex.org']);
    expect(await rooms.resolve('#mesh:ex.org')).toBe('!real:ex.org');
    expect(rooms.isJoined(EVIL)).toBe(false);
  });

  it('so a second inviter in it, whom we welcome, opens no direct chat', async () => {
    const { joins, api } = homeserver('!real:ex.org');
    const rooms = newRooms({ mapped: [], api, welcomes: (userId) => userId === '@admin:ex.org' });
    const invite = (sender: string): JsonObject => ({
      type: 'm.room.member',
      state_key: '@relay:ex.org',
      sender,
      content: { membership: 'invite', is_direct: true },
    });

    rooms.onSync(invited([invite('@admin:ex.org'), invite('@mallory:far.org')]));
    expect(joins).toEqual([]);
    rooms.onSync(invited([invite('@admin:ex.org')]));
    expect(joins).toEqual([EVIL]);
  });
});
