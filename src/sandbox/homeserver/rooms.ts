import { randomBytes } from 'node:crypto';
import type { Clock } from '../../util/clock.ts';
import type { JsonObject } from '../../util/json.ts';
import type { Hub } from './hub.ts';
import { forbidden, MatrixError, notFound } from './matrix-error.ts';
import { authorize, hasCreators, mayRedact } from './power.ts';
import { Room } from './room.ts';
import type { NewEvent, StoredEvent } from './types.ts';

const MAX_EVENT_BYTES = 65_536;
/** Synapse's default. */
const ROOM_VERSION = '12';

/** All rooms and aliases. One per homeserver. Invariant: an alias leads to a room that exists. */
export class Rooms {
  readonly #rooms = new Map<string, Room>();
  readonly #aliases = new Map<string, { readonly roomId: string; readonly creator: string }>();
  readonly #serverName: string;
  readonly #hub: Hub;
  readonly #clock: Clock;

  constructor(serverName: string, hub: Hub, clock: Clock) {
    this.#serverName = serverName;
    this.#hub = hub;
    this.#clock = clock;
  }

  all(): IterableIterator<Room> {
    return this.#rooms.values();
  }

  open(version: string | null): Room {
    // From version 12 on a room id is the hash of the create event, without a server name (MSC4291).
    const known = version ?? ROOM_VERSION;
    const roomId = hasCreators(known)
      ? `!${randomBytes(32).toString('base64url')}`
      : `!${randomBytes(13).toString('base64url')}:${this.#serverName}`;
    const room = new Room(roomId, known);
    this.#rooms.set(room.roomId, room);
    return room;
  }

  find(roomId: string): Room | null {
    return this.#rooms.get(roomId) ?? null;
  }

  need(roomId: string): Room {
    const room = this.#rooms.get(roomId);
    if (room === undefined) throw notFound(`Unknown room: ${roomId}`);
    return room;
  }

  /** The room, when that user is joined to it (or was, with `orLeft`). Like Synapse, an unknown room is M_FORBIDDEN. */
  needMember(roomId: string, userId: string, orLeft = false): Room {
    const room = this.#rooms.get(roomId);
    const membership = room?.membership(userId);
    if (room !== undefined && (membership === 'join' || (orLeft && membership === 'leave'))) return room;
    throw forbidden(`User ${userId} not in room ${roomId}`);
  }

  joined(userId: string): readonly Room[] {
    return [...this.#rooms.values()].filter((room) => room.isJoined(userId));
  }

  /** Those who are joined to a room that `userId` is joined to, without `userId`. */
  sharing(userId: string): Set<string> {
    const found = new Set<string>();
    for (const room of this.joined(userId)) {
      for (const member of room.members('join')) found.add(member.stateKey ?? '');
    }
    found.delete(userId);
    return found;
  }

  /** Checks the event against the authorization rules and appends it. */
  send(room: Room, event: NewEvent): StoredEvent {
    if (JSON.stringify(event.content).length > MAX_EVENT_BYTES - 512) {
      throw new MatrixError(413, 'M_TOO_LARGE', 'event too large');
    }
    authorize(room, event);
    const same = unchangedState(room, event);
    return same ?? this.append(room, event);
  }

  /** Appends without asking the rules: for tests that need what a federation could bring. */
  append(room: Room, event: NewEvent): StoredEvent {
    const stored: StoredEvent = {
      pos: this.#hub.next(),
      eventId: `$${randomBytes(32).toString('base64url')}`,
      roomId: room.roomId,
      type: event.type,
      sender: event.sender,
      stateKey: event.stateKey ?? null,
      originServerTs: event.originServerTs ?? this.#clock.now(),
      replaces: event.stateKey === undefined ? null : room.state(event.type, event.stateKey),
      transaction: event.transaction ?? null,
      redacts: event.redacts ?? null,
      content: event.content,
      redactedBecause: null,
    };
    room.append(stored);
    if (event.redacts !== undefined) redact(room, stored, event.redacts);
    this.#hub.notify();
    return stored;
  }

  resolve(alias: string): string {
    const entry = this.#aliases.get(alias);
    if (entry === undefined) throw notFound(`Room alias ${alias} not found`);
    return entry.roomId;
  }

  setAlias(alias: string, roomId: string, creator: string): void {
    if (!/^#[^:\s]+:.+$/.test(alias)) throw new MatrixError(400, 'M_INVALID_PARAM', 'Room alias invalid');
    if (this.#aliases.has(alias)) throw new MatrixError(409, 'M_UNKNOWN', `Room alias ${alias} already exists`);
    this.#aliases.set(alias, { roomId, creator });
  }

  aliasFree(alias: string): boolean {
    return !this.#aliases.has(alias);
  }

  removeAlias(alias: string, userId: string): void {
    const entry = this.#aliases.get(alias);
    if (entry === undefined) throw notFound(`Room alias ${alias} not found`);
    if (entry.creator !== userId) throw forbidden("You don't have permission to delete the alias.");
    this.#aliases.delete(alias);
  }

  aliases(roomId: string): readonly string[] {
    return [...this.#aliases].filter(([, entry]) => entry.roomId === roomId).map(([alias]) => alias);
  }
}

/** Synapse answers a state event that changes nothing with the id of the one in force. */
function unchangedState(room: Room, event: NewEvent): StoredEvent | null {
  if (event.stateKey === undefined) return null;
  const current = room.state(event.type, event.stateKey);
  if (current === null || current.sender !== event.sender) return null;
  return sameJson(current.content, event.content) ? current : null;
}

function sameJson(a: JsonObject, b: JsonObject): boolean {
  return canonical(a) === canonical(b);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

/** What redaction leaves of the content, by event type (room version 11). */
const KEPT: Readonly<Record<string, readonly string[]>> = {
  'm.room.member': ['membership', 'join_authorised_via_users_server'],
  'm.room.join_rules': ['join_rule', 'allow'],
  'm.room.history_visibility': ['history_visibility'],
  'm.room.redaction': ['redacts'],
  'm.room.power_levels': [
    'ban',
    'events',
    'events_default',
    'invite',
    'kick',
    'redact',
    'state_default',
    'users',
    'users_default',
  ],
};

function redact(room: Room, redaction: StoredEvent, targetId: string): void {
  const target = room.event(targetId);
  if (target === null || !mayRedact(room, redaction.sender, target.sender)) return;
  if (target.type === 'm.room.create' || target.type === 'm.room.redaction') return;
  const kept = KEPT[target.type] ?? [];
  target.content = Object.fromEntries(Object.entries(target.content).filter(([key]) => kept.includes(key)));
  target.redactedBecause = redaction;
}
