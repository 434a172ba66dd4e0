import type { JsonObject } from '../../util/json.ts';
import { numberAt, objectAt, stringsAt } from './json-read.ts';
import type { StoredEvent } from './types.ts';

/** A part of a filter definition: which events it lets through. */
export interface EventFilter {
  readonly limit: number | null;
  passes(event: { readonly type: string; readonly sender?: string; readonly content?: JsonObject }): boolean;
}

export interface SyncFilter {
  readonly timeline: EventFilter;
  readonly state: EventFilter;
  readonly ephemeral: EventFilter;
  readonly roomAccountData: EventFilter;
  readonly accountData: EventFilter;
  readonly includeLeave: boolean;
  allowsRoom(roomId: string): boolean;
}

/** Reads a filter as the client-server API defines it; an empty object lets all through. */
export function parseSyncFilter(definition: JsonObject): SyncFilter {
  const room = objectAt(definition, 'room');
  const rooms = stringsAt(room, 'rooms');
  const notRooms = stringsAt(room, 'not_rooms') ?? [];
  return {
    timeline: parseEventFilter(objectAt(room, 'timeline')),
    state: parseEventFilter(objectAt(room, 'state')),
    ephemeral: parseEventFilter(objectAt(room, 'ephemeral')),
    roomAccountData: parseEventFilter(objectAt(room, 'account_data')),
    accountData: parseEventFilter(objectAt(definition, 'account_data')),
    includeLeave: room.include_leave === true,
    allowsRoom: (roomId) => (rooms === null || rooms.includes(roomId)) && !notRooms.includes(roomId),
  };
}

export function parseEventFilter(definition: JsonObject): EventFilter {
  const types = stringsAt(definition, 'types');
  const notTypes = stringsAt(definition, 'not_types') ?? [];
  const senders = stringsAt(definition, 'senders');
  const notSenders = stringsAt(definition, 'not_senders') ?? [];
  return {
    limit: numberAt(definition, 'limit'),
    passes: (event) =>
      (types === null || types.some((pattern) => matches(pattern, event.type))) &&
      !notTypes.some((pattern) => matches(pattern, event.type)) &&
      (event.sender === undefined || senders === null || senders.includes(event.sender)) &&
      (event.sender === undefined || !notSenders.includes(event.sender)),
  };
}

/** Events that pass, in their order. */
export function filterEvents(events: readonly StoredEvent[], filter: EventFilter): readonly StoredEvent[] {
  return events.filter((event) => filter.passes(event));
}

function matches(pattern: string, type: string): boolean {
  if (!pattern.includes('*')) return pattern === type;
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(type);
}
