import { expect, it } from 'vitest';
import { readSections, roomsWithoutState, withStateOf } from '../../../src/matrix/sync/sync-answer.ts';
import type { JsonObject } from '../../../src/util/json.ts';

const create = { type: 'm.room.create', state_key: '', content: {} };
const named = (name: string) => ({ type: 'm.room.name', state_key: '', content: { name } });
const message = { type: 'm.room.message', event_id: '$1', content: { body: 'hello' } };
const room = (state: readonly JsonObject[], timeline: readonly JsonObject[] = []): JsonObject => ({
  state: { events: state },
  timeline: { events: timeline },
});
const answer = (join: Record<string, JsonObject>): JsonObject => ({ next_batch: 's1', rooms: { join } });

it('knows the state of a room by its creation, which may be in the timeline', () => {
  const told = answer({ '!a': room([create]), '!b': room([], [create]), '!c': room([named('C')], [message]) });
  expect(roomsWithoutState(told, ['!a', '!b', '!c', '!d'])).toEqual(['!c', '!d']);
});

it('adds the state of rooms from a later answer, and nothing else of it', () => {
  const told = answer({ '!c': { ...room([named('old')], [message]), summary: { 'm.joined_member_count': 3 } } });
  const later = answer({
    '!c': { ...room([create], [named('new')]), summary: { 'm.joined_member_count': 2, 'm.heroes': ['@a:x'] } },
    '!d': room([create], [{ ...message, event_id: '$2' }]),
    '!e': room([create]),
  });
  const whole = withStateOf(told, { ...later, next_batch: 's2', to_device: { events: [{}] } }, ['!c', '!d']);
  expect(whole).toEqual(
    answer({
      '!c': {
        ...room([named('old'), create, named('new')], [message]),
        summary: { 'm.joined_member_count': 3, 'm.heroes': ['@a:x'] },
      },
      '!d': { state: { events: [create] }, summary: {} },
    }),
  );
  expect(readSections(whole).joined.map(({ timeline }) => timeline.length)).toEqual([1, 0]);
});
