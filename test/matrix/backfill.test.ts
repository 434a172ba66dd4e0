import { expect, it } from 'vitest';
import { fillGap } from '../../src/matrix/backfill.ts';
import type { JsonObject } from '../../src/util/json.ts';

const NOW_MS = 1_750_000_000_000;
const HOUR_MS = 3_600_000;

function event(id: string, ageMs: number): JsonObject {
  return { event_id: id, type: 'm.room.message', origin_server_ts: NOW_MS - ageMs };
}

function pages(...chunks: readonly (readonly JsonObject[])[]): Parameters<typeof fillGap>[0] {
  return {
    request: async (_method, _path, call) => {
      const index = Number(call?.query?.from);
      return { chunk: [...(chunks[index] ?? [])], end: String(index + 1), ...(chunks[index] ? {} : { end: null }) };
    },
  };
}

const gap = { roomId: '!r:ex.org', prevBatch: '0', sinceToken: 's', userId: '@bot:ex.org' };
const limits = { oldestMs: NOW_MS - HOUR_MS, maxEvents: 1_000, isKnown: () => false };

it('one event with a forged time does not hide the messages before it', async () => {
  const api = pages([event('$c', 1), event('$forged', NOW_MS)], [event('$b', 2), event('$a', 3)]);

  const { events, complete } = await fillGap(api, gap, limits);

  expect(events.map(({ event_id }) => event_id)).toEqual(['$a', '$b', '$forged', '$c']);
  expect(complete).toBe(true);
});

it('a whole page that is too old is the last', async () => {
  const old = 2 * HOUR_MS;
  const api = pages([event('$c', 1)], [event('$b', old), event('$a', old + 1)], [event('$never', old + 2)]);

  const { events, complete } = await fillGap(api, gap, limits);

  expect(events.map(({ event_id }) => event_id)).toEqual(['$a', '$b', '$c']);
  expect(complete).toBe(false);
});
