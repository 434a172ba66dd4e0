/** Reading a /sync answer: pure. Client-server API section 6.3. */

import { isObject, type JsonObject } from '../../util/json.ts';
import { asObject, asObjects, asString } from '../json-read.ts';

export interface JoinedSection {
  readonly roomId: string;
  readonly timeline: readonly JsonObject[];
  readonly limited: boolean;
  /** Where to read backwards from when `limited`. */
  readonly prevBatch: string | null;
  /** State changes of this answer in order, the timeline's included. */
  readonly state: readonly JsonObject[];
}

export interface SyncSections {
  readonly joined: readonly JoinedSection[];
  readonly left: readonly JoinedSection[];
  readonly invited: ReadonlyMap<string, readonly JsonObject[]>;
  /** Nothing in it but the token. */
  readonly empty: boolean;
}

export function readSections(answer: JsonObject): SyncSections {
  const rooms = asObject(answer.rooms);
  const joined = sections(asObject(rooms.join));
  const left = sections(asObject(rooms.leave));
  const invited = new Map<string, readonly JsonObject[]>();
  for (const [roomId, room] of Object.entries(asObject(rooms.invite))) {
    invited.set(roomId, asObjects(asObject(asObject(room).invite_state).events));
  }
  const others = [answer.to_device, answer.account_data].flatMap((part) => asObjects(asObject(part).events)).length;
  return { joined, left, invited, empty: joined.length + left.length + invited.size + others === 0 };
}

function sections(rooms: JsonObject): readonly JoinedSection[] {
  return Object.entries(rooms).map(([roomId, value]) => {
    const room = asObject(value);
    const timeline = asObject(room.timeline);
    const events = asObjects(timeline.events);
    return {
      roomId,
      timeline: events,
      limited: timeline.limited === true,
      prevBatch: asString(timeline.prev_batch),
      state: [...asObjects(asObject(room.state).events), ...events.filter((event) => isString(event.state_key))],
    };
  });
}

/** Which of these rooms the answer tells too little of to know their state. */
export function roomsWithoutState(answer: JsonObject, roomIds: readonly string[]): readonly string[] {
  const known = readSections(answer).joined.filter(({ state }) => state.some(({ type }) => type === 'm.room.create'));
  return roomIds.filter((roomId) => !known.some((section) => section.roomId === roomId));
}

/** The answer, with the state of these rooms as a later one without a token tells it. */
export function withStateOf(answer: JsonObject, later: JsonObject, roomIds: readonly string[]): JsonObject {
  const rooms = asObject(answer.rooms);
  const join = { ...asObject(rooms.join) };
  for (const { roomId, state } of readSections(later).joined) {
    if (!roomIds.includes(roomId)) continue;
    const told = asObject(join[roomId]);
    const summary = {
      ...asObject(asObject(asObject(asObject(later.rooms).join)[roomId]).summary),
      ...asObject(told.summary),
    };
    join[roomId] = { ...told, summary, state: { events: [...asObjects(asObject(told.state).events), ...state] } };
  }
  return { ...answer, rooms: { ...rooms, join } };
}

/**
 * What the SDK is fed: all it needs for its picture of the rooms and for encryption, and no message at all. So its
 * timelines stay empty, whatever happens in a year. State of the timeline goes into `state`, last one of a key only.
 */
export function withoutMessages(answer: JsonObject, read: SyncSections): JsonObject {
  const join = Object.fromEntries(
    read.joined.map((section) => [
      section.roomId,
      {
        summary: asObject(asObject(asObject(answer.rooms).join)[section.roomId]).summary,
        state: { events: latestState(section.state) },
        timeline: { events: [], limited: false, prev_batch: null },
      },
    ]),
  );
  const { rooms: _rooms, presence: _presence, ...rest } = answer;
  return { ...rest, rooms: { join } };
}

function latestState(events: readonly JsonObject[]): readonly JsonObject[] {
  const latest = new Map<string, JsonObject>();
  for (const event of events) latest.set(`${asString(event.type)}\n${asString(event.state_key)}`, event);
  return [...latest.values()];
}

/**
 * The events since we came in, where we joined within them: what was said before we were there is history, which a
 * relay does not repeat. A change of our display name is a join upon a join, and no arrival.
 * @param self.wasInside we were in the room before these events: tells what an event does not that lacks `prev_content`
 * @returns null when no arrival of ours is among them
 */
export function sinceOwnJoin(
  events: readonly JsonObject[],
  self: { readonly userId: string; readonly wasInside: boolean },
): readonly JsonObject[] | null {
  let isInside = self.wasInside;
  let arrival = -1;
  events.forEach((event, index) => {
    if (event.type !== 'm.room.member' || event.state_key !== self.userId) return;
    const previous = asObject(event.unsigned).prev_content;
    const wasInside = isObject(previous) ? previous.membership === 'join' : isInside;
    isInside = asObject(event.content).membership === 'join';
    if (isInside && !wasInside) arrival = index;
  });
  return arrival < 0 ? null : events.slice(arrival);
}

function isString(value: unknown): boolean {
  return typeof value === 'string';
}
