import type { JsonObject } from '../../util/json.ts';
import type { Account } from './accounts.ts';
import { viewEvent } from './event-view.ts';
import { stringAt } from './json-read.ts';
import { firstAfter, type Room } from './room.ts';
import type { SyncRequest } from './sync-request.ts';
import type { StoredEvent } from './types.ts';
import type { World } from './world.ts';

const DEFAULT_TIMELINE_LIMIT = 10;
const CONDUIT_TIMELINE_LIMIT = 10;

export interface RoomScope {
  readonly world: World;
  readonly request: SyncRequest;
  readonly room: Room;
  readonly sincePos: number;
  readonly nowPos: number;
}

/** The room's part of `rooms.join`; null when nothing happened since the token. */
export function joinedSection(scope: RoomScope): JsonObject | null {
  const { request, room, world } = scope;
  const { userId } = request.session;
  const account = world.accounts.need(userId);
  const wasJoined = scope.sincePos > 0 && room.membership(userId, scope.sincePos) === 'join';
  const fromPos = wasJoined ? scope.sincePos : 0;
  const timeline = timelineOf(scope, { fromPos, untilPos: scope.nowPos });
  const stateFrom = request.fullState && world.tuning.family === 'synapse' ? 0 : fromPos;
  const state = stateBefore(scope, timeline, { fromPos: stateFrom, untilPos: scope.nowPos });
  const ephemeral = ephemeralEvents(scope, fromPos);
  const accountData = accountDataEvents(account, room.roomId, fromPos);
  const quiet =
    timeline.events.length === 0 && state.length === 0 && ephemeral.length === 0 && accountData.length === 0;
  if (quiet && scope.sincePos > 0) return null;
  const joined = room.members('join');
  const stateChanged = room.lastStatePos > fromPos;
  return {
    timeline: viewTimeline(scope, timeline),
    state: { events: view(scope, state) },
    account_data: { events: accountData.filter((event) => passes(request.filter.roomAccountData, event)) },
    ephemeral: { events: ephemeral.filter((event) => passes(request.filter.ephemeral, event)) },
    unread_notifications: { notification_count: 0, highlight_count: 0 },
    summary: stateChanged
      ? {
          'm.joined_member_count': joined.length,
          'm.invited_member_count': room.members('invite').length,
          'm.heroes': joined
            .map((member) => member.stateKey ?? '')
            .filter((id) => id !== userId)
            .slice(0, 5),
        }
      : {},
  };
}

/** The room's part of `rooms.leave`: what happened up to our leaving. */
export function leftSection(scope: RoomScope, leftPos: number): JsonObject | null {
  const wasJoined = scope.room.membership(scope.request.session.userId, scope.sincePos) === 'join';
  const knewIt = wasJoined || scope.room.state('m.room.member', scope.request.session.userId)?.replaces !== null;
  if (!knewIt) return null;
  const fromPos = wasJoined ? scope.sincePos : leftPos - 1;
  const isShown = scope.world.tuning.family === 'synapse';
  const timeline = isShown
    ? timelineOf(scope, { fromPos, untilPos: leftPos })
    : { events: [], limited: true, beforePos: scope.nowPos };
  const state = wasJoined ? stateBefore(scope, timeline, { fromPos, untilPos: leftPos }) : [];
  return {
    timeline: viewTimeline(scope, timeline),
    state: { events: view(scope, state) },
    account_data: { events: [] },
  };
}

interface Range {
  readonly fromPos: number;
  readonly untilPos: number;
}

interface Timeline {
  readonly events: readonly StoredEvent[];
  readonly limited: boolean;
  /** Everything up to here is not in the timeline. */
  readonly beforePos: number;
}

function timelineOf({ room, request, world }: RoomScope, { fromPos, untilPos }: Range): Timeline {
  const filter = request.filter.timeline;
  const { family, timelineCap } = world.tuning;
  const cap = family === 'conduit' ? CONDUIT_TIMELINE_LIMIT : timelineCap;
  const limit = Math.min(filter.limit ?? DEFAULT_TIMELINE_LIMIT, cap);
  const from = firstAfter(room.events, fromPos);
  const events: StoredEvent[] = [];
  let limited = false;
  for (let index = firstAfter(room.events, untilPos) - 1; index >= from; index -= 1) {
    const event = room.events[index];
    if (event === undefined || !filter.passes(event)) continue;
    if (events.length === limit) {
      limited = true;
      break;
    }
    events.push(event);
  }
  events.reverse();
  const first = events[0];
  const beforePos = limited ? (first?.pos ?? untilPos + 1) - 1 : fromPos;
  return { events, limited, beforePos };
}

/** State that the client needs before it reads the timeline. */
function stateBefore(scope: RoomScope, timeline: Timeline, { fromPos, untilPos }: Range): readonly StoredEvent[] {
  const first = timeline.events[0];
  const shown = new Set(timeline.events);
  return scope.room
    .stateBetween(fromPos, first === undefined ? untilPos : first.pos - 1)
    .filter((event) => !shown.has(event) && scope.request.filter.state.passes(event));
}

function viewTimeline(scope: RoomScope, timeline: Timeline): JsonObject {
  const first = timeline.events[0];
  return {
    events: view(scope, timeline.events),
    limited: timeline.limited,
    prev_batch: `t${first === undefined ? timeline.beforePos : first.pos - 1}`,
  };
}

function view(scope: RoomScope, events: readonly StoredEvent[]): readonly JsonObject[] {
  const context = { session: scope.request.session, nowMs: scope.world.clock.now(), withRoomId: false };
  return events.map((event) => viewEvent(scope.room, event, context));
}

function ephemeralEvents({ room }: RoomScope, fromPos: number): readonly JsonObject[] {
  const receipts = [...room.receipts.values()].filter((receipt) => receipt.pos > fromPos);
  const content: Record<string, JsonObject> = {};
  for (const receipt of receipts) {
    for (const [eventId, value] of Object.entries(receipt.content)) {
      content[eventId] = mergeReceipts(content[eventId], value as JsonObject);
    }
  }
  return [
    ...(room.typingPos > fromPos ? [{ type: 'm.typing', content: { user_ids: [...room.typing.keys()] } }] : []),
    ...(receipts.length > 0 ? [{ type: 'm.receipt', content }] : []),
  ];
}

function mergeReceipts(known: JsonObject | undefined, next: JsonObject): JsonObject {
  const merged: Record<string, JsonObject> = {};
  for (const source of [known ?? {}, next]) {
    for (const [kind, users] of Object.entries(source)) merged[kind] = { ...merged[kind], ...(users as JsonObject) };
  }
  return merged;
}

/** Account data of that room ('' for global) that changed behind `fromPos`. */
export function accountDataEvents(account: Account, roomId: string, fromPos: number): readonly JsonObject[] {
  return [...(account.accountData.get(roomId) ?? [])]
    .filter(([, data]) => data.pos > fromPos)
    .map(([type, data]) => ({ type, content: data.content }));
}

function passes(filter: { passes(event: { readonly type: string }): boolean }, event: JsonObject): boolean {
  return filter.passes({ type: stringAt(event, 'type') ?? '' });
}
