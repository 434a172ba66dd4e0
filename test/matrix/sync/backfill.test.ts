import { describe, expect, it } from 'vitest';
import { HttpFailure } from '../../../src/matrix/http.ts';
import { fillGap } from '../../../src/matrix/sync/backfill.ts';
import { sinceOwnJoin } from '../../../src/matrix/sync/sync-answer.ts';
import type { JsonObject } from '../../../src/util/json.ts';

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

const gap = { roomId: '!r:ex.org', prevBatch: '0', sinceToken: 's', self: { userId: '@bot:ex.org', wasInside: true } };
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
  expect(complete).toBe(true);
});

it('a server that does not take our token here is asked without it, up to what we have', async () => {
  const inner = pages([event('$c', 1), event('$b', 2)], [event('$a', 3), event('$had', 4), event('$never', 5)]);
  const api: typeof inner = {
    request: async (method, path, call) => {
      const body = { errcode: 'M_INVALID_PARAM', error: 'to' };
      if (call?.query?.to !== undefined)
        throw new HttpFailure('status', 'to', { status: 400, retryAfterMs: null, body });
      return inner.request(method, path, call);
    },
  };

  const { events, complete } = await fillGap(api, gap, { ...limits, isKnown: (id) => id === '$had' });

  expect(events.map(({ event_id }) => event_id)).toEqual(['$a', '$b', '$c']);
  expect(complete).toBe(true);
});

describe('our own member events', () => {
  const member = (membership: string, previous?: string): JsonObject => ({
    type: 'm.room.member',
    state_key: '@bot:ex.org',
    content: { membership },
    ...(previous === undefined ? {} : { unsigned: { prev_content: { membership: previous } } }),
  });
  const before = event('$before', 2);
  const after = event('$after', 1);
  const self = (wasInside: boolean) => ({ userId: '@bot:ex.org', wasInside });

  it.each<[string, JsonObject[], boolean, boolean]>([
    ['a first join is an arrival', [member('join')], false, true],
    ['another name is none, whether the server tells what was before', [member('join', 'join')], true, false],
    ['or not', [member('join')], true, false],
    ['a join after a ban lifted is one', [member('join', 'leave')], true, true],
    ['so is one after a kick, though the server does not tell', [member('leave'), member('join')], true, true],
  ])('%s', (_, events, wasInside, isArrival) => {
    const cut = sinceOwnJoin([before, ...events, after], self(wasInside));

    expect(cut).toEqual(isArrival ? [events.at(-1), after] : null);
  });
});
