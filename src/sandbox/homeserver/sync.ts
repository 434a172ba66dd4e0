import type { JsonObject } from '../../util/json.ts';
import type { Account } from './accounts.ts';
import { strippedState } from './event-view.ts';
import { stringAt } from './json-read.ts';
import { defaultPushRules } from './push-rules.ts';
import type { SyncRequest } from './sync-request.ts';
import { accountDataEvents, joinedSection, leftSection, type RoomScope } from './sync-rooms.ts';
import { formatSyncToken } from './sync-token.ts';
import type { Session } from './types.ts';
import type { World } from './world.ts';

/** Answers /sync: at once when there is something to say, else when there is, or when the timeout ran out. */
export async function sync(world: World, request: SyncRequest): Promise<JsonObject> {
  const { session, since } = request;
  if (since !== null) world.toDevice.acknowledge(session.userId, session.deviceId, since.toDevicePos);
  const deadlineMs = world.clock.monotonic() + request.timeoutMs;
  for (;;) {
    const answer = buildAnswer(world, request);
    const leftMs = deadlineMs - world.clock.monotonic();
    const worthIt = answer.newsworthy || since === null || request.fullState;
    if (worthIt || leftMs <= 0 || request.signal.aborted) return answer.body;
    await world.hub.wait(leftMs, request.signal);
  }
}

function buildAnswer(world: World, request: SyncRequest): { readonly body: JsonObject; readonly newsworthy: boolean } {
  const { session, since } = request;
  const account = world.accounts.need(session.userId);
  const nowPos = world.hub.pos;
  const rooms = roomSections(world, request, nowPos);
  const toDevice = world.toDevice.read(session.userId, session.deviceId, nowPos);
  const accountData = globalAccountData(account, request);
  const deviceLists =
    since === null ? null : deviceListChanges(world, session.userId, { fromPos: since.pos, toPos: nowPos });
  const body: JsonObject = {
    next_batch: formatSyncToken({ pos: nowPos, toDevicePos: toDevice.pos }),
    ...(accountData.length > 0 ? { account_data: { events: accountData } } : {}),
    ...(toDevice.messages.length > 0 ? { to_device: { events: toDevice.messages } } : {}),
    ...(deviceLists ? { device_lists: deviceLists } : {}),
    ...keyCounts(world, session),
    ...(Object.keys(rooms).length > 0 ? { rooms } : {}),
  };
  const newsworthy =
    Object.keys(rooms).length > 0 || toDevice.messages.length > 0 || accountData.length > 0 || deviceLists !== null;
  return { body, newsworthy };
}

function keyCounts({ deviceKeys, tuning }: World, { userId, deviceId }: Session): JsonObject {
  const counts = deviceKeys.counts(userId, deviceId);
  if (tuning.family === 'conduit') {
    const left = Object.entries(counts).filter(([, count]) => count !== 0);
    return left.length === 0 ? {} : { device_one_time_keys_count: Object.fromEntries(left) };
  }
  return {
    device_one_time_keys_count: counts,
    device_unused_fallback_key_types: deviceKeys.unusedFallback(userId, deviceId),
  };
}

function roomSections(world: World, request: SyncRequest, nowPos: number): JsonObject {
  const { userId } = request.session;
  const sincePos = request.since?.pos ?? 0;
  const sections: Record<'join' | 'invite' | 'leave', Record<string, JsonObject>> = { join: {}, invite: {}, leave: {} };
  for (const room of world.rooms.all()) {
    if (!request.filter.allowsRoom(room.roomId)) continue;
    const member = room.state('m.room.member', userId);
    if (member === null) continue;
    const scope: RoomScope = { world, request, room, sincePos, nowPos };
    const membership = stringAt(member.content, 'membership');
    if (membership === 'join') {
      const section = joinedSection(scope);
      if (section !== null) sections.join[room.roomId] = section;
    } else if (membership === 'invite') {
      if (member.pos > sincePos) {
        sections.invite[room.roomId] = { invite_state: { events: strippedState(room, userId) } };
      }
    } else if (member.pos > sincePos && (request.since !== null || request.filter.includeLeave)) {
      const section = leftSection(scope, member.pos);
      if (section !== null) sections.leave[room.roomId] = section;
    }
  }
  return Object.fromEntries(Object.entries(sections).filter(([, rooms]) => Object.keys(rooms).length > 0));
}

function globalAccountData(account: Account, request: SyncRequest): readonly JsonObject[] {
  const found = accountDataEvents(account, '', request.since?.pos ?? 0);
  const withRules = request.since === null ? [...found, { type: 'm.push_rules', content: defaultPushRules() }] : found;
  return withRules.filter((event) => request.filter.accountData.passes({ type: stringAt(event, 'type') ?? '' }));
}

/** Whose device lists are news to `userId`; null when nobody's. Also behind /keys/changes. */
export function deviceListChanges(
  world: World,
  userId: string,
  range: { readonly fromPos: number; readonly toPos: number },
): JsonObject | null {
  const sharing = world.rooms.sharing(userId);
  const changed = new Set(
    [...world.deviceKeys.changedBetween(range.fromPos, range.toPos)].filter((id) => id === userId || sharing.has(id)),
  );
  const left = new Set<string>();
  for (const room of world.rooms.all()) {
    if (room.lastStatePos <= range.fromPos) continue;
    const own = room.state('m.room.member', userId);
    if (own === null) continue;
    const mine = own.pos > range.fromPos;
    for (const event of room.members()) {
      const other = event.stateKey ?? '';
      if (other === userId || (event.pos <= range.fromPos && !mine)) continue;
      if (sharing.has(other)) {
        if (event.content.membership === 'join' && wasApart(event, own, range.fromPos)) changed.add(other);
      } else if (room.membership(other, range.fromPos) === 'join') {
        left.add(other);
      }
    }
  }
  return changed.size === 0 && left.size === 0 ? null : { changed: [...changed], left: [...left] };
}

interface MemberEvent {
  readonly pos: number;
  readonly replaces: { readonly content: JsonObject } | null;
}

/** One of the two joined behind `pos` (a change of the display name is no join). */
function wasApart(other: MemberEvent, own: MemberEvent, pos: number): boolean {
  return [other, own].some((event) => event.pos > pos && event.replaces?.content.membership !== 'join');
}
