import { numberAt, objectAt, stringAt, stringsAt } from './json-read.ts';
import { forbidden } from './matrix-error.ts';
import type { Room } from './room.ts';
import type { Membership, NewEvent } from './types.ts';

/** From room version 12 on creators stand above all power levels (MSC4289). */
export function hasCreators(version: string): boolean {
  return Number(version) >= 12;
}

function isCreator(room: Room, userId: string): boolean {
  const create = room.state('m.room.create');
  if (create === null || !hasCreators(room.version)) return false;
  return create.sender === userId || (stringsAt(create.content, 'additional_creators') ?? []).includes(userId);
}

/** Power of a user in a room, by m.room.power_levels; the creator of a room without such an event has 100. */
function powerOf(room: Room, userId: string): number {
  if (isCreator(room, userId)) return Number.POSITIVE_INFINITY;
  const levels = room.state('m.room.power_levels')?.content;
  if (levels === undefined) return room.state('m.room.create')?.sender === userId ? 100 : 0;
  return numberAt(objectAt(levels, 'users'), userId) ?? numberAt(levels, 'users_default') ?? 0;
}

function needed(room: Room, event: Pick<NewEvent, 'type' | 'stateKey'>): number {
  const levels = room.state('m.room.power_levels')?.content ?? {};
  const own = numberAt(objectAt(levels, 'events'), event.type);
  if (own !== null) return own;
  return event.stateKey === undefined
    ? (numberAt(levels, 'events_default') ?? 0)
    : (numberAt(levels, 'state_default') ?? 50);
}

function actionLevel(room: Room, action: 'kick' | 'ban' | 'invite' | 'redact'): number {
  const levels = room.state('m.room.power_levels')?.content ?? {};
  return numberAt(levels, action) ?? (action === 'invite' ? 0 : 50);
}

/** Throws M_FORBIDDEN when the authorization rules refuse the event. */
export function authorize(room: Room, event: NewEvent): void {
  if (event.type === 'm.room.create') return;
  if (event.type === 'm.room.member') {
    authorizeMembership(room, event);
    return;
  }
  if (!room.isJoined(event.sender)) throw forbidden(`User ${event.sender} not in room ${room.roomId}`);
  const have = powerOf(room, event.sender);
  const need = needed(room, event);
  if (have < need) {
    const kind = event.stateKey === undefined ? 'event' : 'state event';
    throw forbidden(`You don't have permission to post that to the room. ${kind} ${event.type}: ${have} < ${need}`);
  }
  if (event.stateKey?.startsWith('@') && event.stateKey !== event.sender) {
    throw forbidden('You are not allowed to set others state');
  }
  if (event.type === 'm.room.power_levels') authorizePowerChange(room, event, have);
}

/** Whether `sender` may redact that event of somebody else. */
export function mayRedact(room: Room, sender: string, author: string): boolean {
  return sender === author || powerOf(room, sender) >= actionLevel(room, 'redact');
}

function authorizePowerChange(room: Room, event: NewEvent, have: number): void {
  const before = objectAt(room.state('m.room.power_levels')?.content ?? {}, 'users');
  const after = objectAt(event.content, 'users');
  for (const userId of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const old = numberAt(before, userId) ?? 0;
    const next = numberAt(after, userId) ?? 0;
    if (old === next) continue;
    if (next > have || (old >= have && userId !== event.sender)) {
      throw forbidden("You don't have permission to add ops level greater than your own");
    }
  }
}

function authorizeMembership(room: Room, event: NewEvent): void {
  const target = event.stateKey ?? '';
  const wanted = stringAt(event.content, 'membership') as Membership | null;
  const current = room.membership(target);
  const self = target === event.sender;
  if (room.events.length === 1 && self && wanted === 'join') return; // the creator's own join
  if (wanted === 'join') {
    if (!self) throw forbidden('Cannot force another user to join.');
    authorizeJoin(room, target, current);
  } else if (wanted === 'leave' && self) {
    if (current !== 'join' && current !== 'invite' && current !== 'knock') {
      throw forbidden(`User ${target} not in room ${room.roomId}`);
    }
  } else {
    authorizeByOther(room, event, { target, wanted, current });
  }
}

function authorizeJoin(room: Room, target: string, current: Membership | null): void {
  if (current === 'ban') throw forbidden('You are banned from this room');
  if (current === 'join' || current === 'invite') return;
  if (room.state('m.room.join_rules')?.content.join_rule === 'public') return;
  throw forbidden(`You are not invited to this room. (${target})`);
}

interface Change {
  readonly target: string;
  readonly wanted: Membership | null;
  readonly current: Membership | null;
}

function authorizeByOther(room: Room, event: NewEvent, { target, wanted, current }: Change): void {
  if (!room.isJoined(event.sender)) throw forbidden(`${event.sender} not in room ${room.roomId}.`);
  const have = powerOf(room, event.sender);
  if (wanted === 'invite') {
    if (current === 'ban') throw forbidden(`${target} is banned from the room`);
    if (current === 'join') throw forbidden(`${target} is already in the room.`);
    if (have < actionLevel(room, 'invite')) throw forbidden("You don't have permission to invite users");
    return;
  }
  const action = wanted === 'ban' || current === 'ban' ? 'ban' : 'kick';
  if (have < actionLevel(room, action) || (target !== event.sender && have <= powerOf(room, target))) {
    throw forbidden(`You cannot ${action} user ${target}.`);
  }
}
