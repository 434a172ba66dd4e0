/** What the relay wants to know of a room, read from the SDK's picture. Pure. */

import type { Room } from 'matrix-js-sdk';
import type { RoomFacts } from '../../relay/ports.ts';
import type { JsonObject } from '../../util/json.ts';
import { asNumber, asObject, asString } from '../json-read.ts';
import { aliasesIn } from './rooms.ts';

export function roomFacts(room: Room): RoomFacts {
  return {
    roomId: room.roomId,
    name: asString(stateContent(room, 'm.room.name').name) ?? room.getCanonicalAlias(),
    joined: true,
    encrypted: room.hasEncryptionStateEvent(),
    memberCount: room.getJoinedMemberCount(),
  };
}

export function roomAliases(room: Room | null): readonly string[] {
  return room === null ? [] : aliasesIn({ content: stateContent(room, 'm.room.canonical_alias') });
}

/** The name a member set in this room; null for none, and for members the server has not told us about. */
export function memberName(room: Room | null, userId: string): string | null {
  const event = room?.currentState.getStateEvents('m.room.member', userId);
  return event === null || event === undefined ? null : asString(asObject(event.getContent<JsonObject>()).displayname);
}

/**
 * Power level by m.room.power_levels (client-server API 11.3.1). Read from the event, not from member objects: those
 * exist only for members already seen. Creators stand above all levels from room version 12 on.
 */
export function powerLevelOf(room: Room, userId: string): number {
  const create = room.currentState.getStateEvents('m.room.create', '');
  const levels = room.currentState.getStateEvents('m.room.power_levels', '');
  const creator = create?.getSender() === userId;
  const created = stateContent(room, 'm.room.create');
  const more = Array.isArray(created.additional_creators) ? created.additional_creators : [];
  if (privilegedCreators(asString(created.room_version)) && (creator || more.includes(userId))) {
    return Number.POSITIVE_INFINITY;
  }
  if (levels === null) return creator ? 100 : 0;
  const content = asObject(levels.getContent<JsonObject>());
  return asNumber(asObject(content.users)[userId]) ?? asNumber(content.users_default) ?? 0;
}

function privilegedCreators(version: string | null): boolean {
  return version !== null && (version === 'org.matrix.hydra.11' || (/^\d+$/.test(version) && Number(version) >= 12));
}

function stateContent(room: Room, type: string): JsonObject {
  return asObject(room.currentState.getStateEvents(type, '')?.getContent<JsonObject>());
}
