import { isObject, type JsonObject } from '../../../util/json.ts';
import { relType, viewEvent } from '../event-view.ts';
import { type EventFilter, filterEvents, parseEventFilter } from '../filter.ts';
import { badParam, notFound } from '../matrix-error.ts';
import { firstAfter, type Room } from '../room.ts';
import type { Reply, RouteRequest, Router } from '../router.ts';
import { parsePosition } from '../sync-token.ts';
import type { Session, StoredEvent } from '../types.ts';
import type { World } from '../world.ts';

const ROOM = '/_matrix/client/v3/rooms/{room}';
const MAX_LIMIT = 1000;

/** Reading: messages, context, single events, relations, members, the whole state. */
export function addHistoryRoutes(router: Router, world: World): void {
  router.on('GET', `${ROOM}/messages`, (request, session) => messages(world, request, session));
  router.on('GET', `${ROOM}/context/{event}`, (request, session) => context(world, request, session));
  router.on('GET', `${ROOM}/event/{event}`, (request, session) => {
    const room = world.rooms.needMember(request.param('room'), session.userId, true);
    return { json: viewer(world, room, session)(needEvent(room, session, request.param('event'))) };
  });
  const relations = '/_matrix/client/v1/rooms/{room}/relations/{event}';
  for (const path of [relations, `${relations}/{rel}`, `${relations}/{rel}/{type}`]) {
    router.on('GET', path, (request, session) => {
      const room = world.rooms.needMember(request.param('room'), session.userId, true);
      const found = room
        .relations(request.param('event'))
        .filter((event) => !path.includes('{rel}') || relType(event) === request.param('rel'))
        .filter((event) => !path.includes('{type}') || event.type === request.param('type'))
        .slice(-limitOf(request, 5));
      const ordered = request.query.get('dir') === 'f' ? found : found.toReversed();
      return { json: { chunk: ordered.map(viewer(world, room, session)) } };
    });
  }
  addMembers(router, world);
}

function addMembers(router: Router, world: World): void {
  router.on('GET', `${ROOM}/members`, (request, session) => {
    const room = world.rooms.needMember(request.param('room'), session.userId, true);
    const [wanted, unwanted] = [request.query.get('membership'), request.query.get('not_membership')];
    const chunk = room
      .members()
      .filter((event) => wanted === null || event.content.membership === wanted)
      .filter((event) => unwanted === null || event.content.membership !== unwanted);
    return { json: { chunk: chunk.map(viewer(world, room, session)) } };
  });
  router.on('GET', `${ROOM}/joined_members`, (request, session) => {
    const room = world.rooms.needMember(request.param('room'), session.userId);
    const joined = room
      .members('join')
      .map((event): [string, JsonObject] => [
        event.stateKey ?? '',
        { display_name: event.content.displayname ?? null, avatar_url: event.content.avatar_url ?? null },
      ]);
    return { json: { joined: Object.fromEntries(joined) } };
  });
  router.on('GET', `${ROOM}/state`, (request, session) => {
    const room = world.rooms.needMember(request.param('room'), session.userId, true);
    return { json: room.stateBetween(0, visibleUntil(room, session)).map(viewer(world, room, session)) };
  });
}

function viewer(world: World, room: Room, session: Session): (event: StoredEvent) => JsonObject {
  const view = { session, nowMs: world.clock.now(), withRoomId: true };
  return (event) => viewEvent(room, event, view);
}

/** Who left sees nothing behind their leaving. */
function visibleUntil(room: Room, session: Session): number {
  const member = room.state('m.room.member', session.userId);
  return member === null || member.content.membership === 'join' ? Number.POSITIVE_INFINITY : member.pos;
}

function needEvent(room: Room, session: Session, eventId: string): StoredEvent {
  const event = room.event(eventId);
  if (event === null || event.pos > visibleUntil(room, session)) throw notFound('Event not found.');
  return event;
}

function limitOf(request: RouteRequest, fallback: number): number {
  const text = request.query.get('limit');
  if (text === null) return fallback;
  if (!/^\d+$/.test(text)) throw badParam('Query parameter limit must be an integer');
  return Math.min(Number(text), MAX_LIMIT);
}

function messageFilter(request: RouteRequest): EventFilter {
  const text = request.query.get('filter');
  const parsed: unknown = text === null || text === '' ? {} : JSON.parse(text);
  return parseEventFilter(isObject(parsed) ? parsed : {});
}

function messages(world: World, request: RouteRequest, session: Session): Reply {
  const room = world.rooms.needMember(request.param('room'), session.userId, true);
  const backwards = request.query.get('dir') !== 'f';
  const [from, to] = [request.query.get('from'), request.query.get('to')];
  const newest = Math.min(world.hub.pos, visibleUntil(room, session));
  const start = from === null || from === '' ? (backwards ? newest : 0) : parsePosition(from);
  const end = to === null || to === '' ? (backwards ? 0 : newest) : parsePosition(to);
  const [low, high] = backwards ? [end, Math.min(start, newest)] : [start, Math.min(end, newest)];
  const range = room.events.slice(firstAfter(room.events, low), firstAfter(room.events, high));
  const all = backwards ? range.toReversed() : range;
  const page = all.slice(0, limitOf(request, 10));
  const last = page.at(-1);
  const chunk = filterEvents(page, messageFilter(request)).map(viewer(world, room, session));
  return {
    json: {
      chunk,
      start: from === null || from === '' ? `t${start}` : from,
      ...(last === undefined ? {} : { end: `t${backwards ? last.pos - 1 : last.pos}` }),
    },
  };
}

function context(world: World, request: RouteRequest, session: Session): Reply {
  const room = world.rooms.needMember(request.param('room'), session.userId, true);
  const event = needEvent(room, session, request.param('event'));
  const limit = limitOf(request, 10);
  const index = firstAfter(room.events, event.pos) - 1;
  const before = room.events.slice(Math.max(0, index - Math.floor(limit / 2)), index).toReversed();
  const after = room.events.slice(index + 1, index + 1 + Math.ceil(limit / 2));
  const view = viewer(world, room, session);
  return {
    json: {
      event: view(event),
      events_before: before.map(view),
      events_after: after.map(view),
      state: room.stateBetween(0, (after.at(-1) ?? event).pos).map(view),
      start: `t${(before.at(-1) ?? event).pos - 1}`,
      end: `t${(after.at(-1) ?? event).pos}`,
    },
  };
}
