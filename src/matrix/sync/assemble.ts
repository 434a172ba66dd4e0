/** From a /sync answer to the batch the relay stores: gaps filled, encrypted events opened, in room order. */

import type { RoomEvent } from '../../relay/ports.ts';
import type { JsonObject } from '../../util/json.ts';
import type { Logger } from '../../util/logger.ts';
import type { MatrixApi } from '../api.ts';
import type { Decrypted, RoomCrypto } from '../crypto/room-crypto.ts';
import { asNumber, asObject, asString } from '../json-read.ts';
import { type BackfillLimits, fillGap } from './backfill.ts';
import { type JoinedSection, type SyncSections, sinceOwnJoin } from './sync-answer.ts';

export interface AssembleContext {
  readonly api: MatrixApi;
  readonly crypto: RoomCrypto;
  readonly logger: Logger;
  readonly userId: string;
  readonly sinceToken: string | null;
  /** The server does not know our token any more: what we have and the age of events tell where the gap begins. */
  readonly lost: boolean;
  readonly limits: BackfillLimits;
  readonly memberName: (roomId: string, userId: string) => string | null;
  /** Gaps of other rooms are left alone: nobody reads them. */
  readonly isRead: (roomId: string) => boolean;
  /** We were in the room before this answer. */
  readonly wasInside: (roomId: string) => boolean;
  /** See MatrixSink.onLearned. */
  readonly onLearned: (event: RoomEvent) => void;
}

interface RoomRun {
  readonly events: readonly JsonObject[];
  readonly members: readonly JsonObject[];
  readonly complete: boolean;
}

/** @throws HttpFailure when a gap could not be filled for now */
export async function assemble(
  sections: SyncSections,
  context: AssembleContext,
): Promise<{ readonly events: readonly RoomEvent[]; readonly gaps: readonly string[] }> {
  const events: RoomEvent[] = [];
  const gaps: string[] = [];
  for (const section of [...sections.left, ...sections.joined]) {
    const run = await wholeRun(section, context);
    if (!run.complete) {
      gaps.push(section.roomId);
      context.logger.warn('A gap in a room could not be filled completely', { room: section.roomId });
    }
    const names = new Map(run.members.map((event) => [asString(event.state_key), displayName(event)]));
    for (const raw of run.events) {
      const sender = asString(raw.sender) ?? '';
      const name = context.memberName(section.roomId, sender) ?? names.get(sender) ?? null;
      const { crypto, onLearned } = context;
      const event = await toRoomEvent(section.roomId, raw, { name, crypto, onLearned });
      if (event !== null) events.push(event);
    }
  }
  return { events, gaps };
}

async function wholeRun(section: JoinedSection, context: AssembleContext): Promise<RoomRun> {
  const { timeline, roomId } = section;
  const { sinceToken, lost, limits } = context;
  if (sinceToken === null && !lost) return { events: timeline, members: [], complete: true };
  // Nobody reads it, but a request to verify us may have been made before we came in.
  if (!context.isRead(roomId)) return { events: lost ? [] : timeline, members: [], complete: true };
  const run = await sinceWeLeftOff(section, context);
  return lost ? { ...run, events: newsOf(run.events, limits) } : run;
}

async function sinceWeLeftOff(section: JoinedSection, context: AssembleContext): Promise<RoomRun> {
  const { timeline, roomId, prevBatch } = section;
  const { sinceToken, lost, userId, limits } = context;
  const self = { userId, wasInside: context.wasInside(roomId) };
  const sinceJoin = sinceOwnJoin(timeline, self);
  if (sinceJoin !== null) return { events: sinceJoin, members: [], complete: true };
  const isGap = section.limited && !(lost && timeline.some((event) => isKnown(event, limits)));
  if (!isGap || prevBatch === null) return { events: timeline, members: [], complete: !isGap };
  const filled = await fillGap(context.api, { roomId, prevBatch, sinceToken, self }, limits);
  context.logger.info('Filled a gap in a room', { room: roomId, events: filled.events.length });
  const run = [...filled.events, ...timeline];
  return { ...filled, events: sinceOwnJoin(run, self) ?? run };
}

/** Without a token: what comes after the last event that we have, and is not too old to be of use. */
function newsOf(events: readonly JsonObject[], limits: BackfillLimits): readonly JsonObject[] {
  const last = events.findLastIndex((event) => isKnown(event, limits));
  return events.slice(last + 1).filter((event) => (asNumber(event.origin_server_ts) ?? 0) >= limits.oldestMs);
}

function isKnown(event: JsonObject, limits: BackfillLimits): boolean {
  return limits.isKnown(asString(event.event_id) ?? '');
}

function displayName(memberEvent: JsonObject): string | null {
  return asString(asObject(memberEvent.content).displayname);
}

/** @returns null for what is no room event at all */
export async function toRoomEvent(
  roomId: string,
  raw: JsonObject,
  options: {
    readonly name: string | null;
    readonly crypto: RoomCrypto;
    readonly onLearned: (event: RoomEvent) => void;
  },
): Promise<RoomEvent | null> {
  const eventId = asString(raw.event_id);
  const sender = asString(raw.sender);
  const type = asString(raw.type);
  if (eventId === null || sender === null || type === null) return null;
  const encrypted = type === 'm.room.encrypted' && typeof raw.state_key !== 'string';
  const content = asObject(raw.content);
  const event: RoomEvent = {
    roomId,
    eventId,
    sender,
    senderName: options.name,
    type,
    content,
    timestampMs: asNumber(raw.origin_server_ts) ?? 0,
    stateKey: asString(raw.state_key),
    // Room version 11 moved it into the content.
    redacts: type === 'm.room.redaction' ? (asString(raw.redacts) ?? asString(content.redacts)) : null,
    encrypted,
    undecryptable: null,
  };
  const { crypto, onLearned } = options;
  if (!encrypted) return observed(event, crypto);
  const onMore = (result: Decrypted): void => onLearned(observed({ ...event, ...result }, crypto));
  return observed({ ...event, ...(await crypto.decrypt(roomId, raw, onMore)) }, crypto);
}

function observed(event: RoomEvent, crypto: RoomCrypto): RoomEvent {
  crypto.observe(event);
  return event;
}
