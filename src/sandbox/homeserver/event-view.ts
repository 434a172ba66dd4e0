import type { JsonObject } from '../../util/json.ts';
import { objectAt } from './json-read.ts';
import type { Room } from './room.ts';
import type { Session, StoredEvent } from './types.ts';

export interface ViewContext {
  readonly session: Session;
  readonly nowMs: number;
  /** Absent inside /sync, where the room is the key. */
  readonly withRoomId: boolean;
}

/** The event as that device sees it. */
export function viewEvent(room: Room, event: StoredEvent, context: ViewContext): JsonObject {
  const { session } = context;
  const own = event.transaction?.deviceId === session.deviceId && event.sender === session.userId;
  const bundled = bundle(room, event, context);
  const unsigned: JsonObject = {
    age: Math.max(0, context.nowMs - event.originServerTs),
    ...(own && event.transaction ? { transaction_id: event.transaction.id } : {}),
    ...(event.replaces
      ? {
          replaces_state: event.replaces.eventId,
          prev_content: event.replaces.content,
          prev_sender: event.replaces.sender,
        }
      : {}),
    ...(event.redactedBecause
      ? {
          redacted_by: event.redactedBecause.eventId,
          redacted_because: viewEvent(room, event.redactedBecause, context),
        }
      : {}),
    ...(bundled === null ? {} : { 'm.relations': bundled }),
    ...(event.stateKey === null ? { membership: room.membership(session.userId, event.pos) ?? 'leave' } : {}),
  };
  return {
    type: event.type,
    sender: event.sender,
    content: event.content,
    origin_server_ts: event.originServerTs,
    event_id: event.eventId,
    ...(event.stateKey === null ? {} : { state_key: event.stateKey }),
    ...(event.redacts === null ? {} : { redacts: event.redacts }),
    ...(context.withRoomId ? { room_id: event.roomId } : {}),
    unsigned,
  };
}

/** What an invited user may see of the room's state. */
export function strippedState(room: Room, userId: string): readonly JsonObject[] {
  const types = ['create', 'join_rules', 'canonical_alias', 'avatar', 'encryption', 'name', 'topic'];
  const invite = room.state('m.room.member', userId);
  const events = [
    ...types.map((type) => room.state(`m.room.${type}`)),
    invite === null ? null : room.state('m.room.member', invite.sender),
    invite,
  ];
  return events
    .filter((event) => event !== null)
    .map((event) => ({
      type: event.type,
      sender: event.sender,
      state_key: event.stateKey ?? '',
      content: event.content,
      ...(event === invite ? { event_id: event.eventId, origin_server_ts: event.originServerTs } : {}),
    }));
}

/** Latest edit and threads; annotations are no longer aggregated by Synapse. */
function bundle(room: Room, event: StoredEvent, context: ViewContext): JsonObject | null {
  const relations = event.stateKey === null && event.redactedBecause === null ? room.relations(event.eventId) : [];
  if (relations.length === 0) return null;
  const edit = relations
    .filter((candidate) => relType(candidate) === 'm.replace')
    .filter((candidate) => candidate.sender === event.sender && candidate.type === event.type)
    .at(-1);
  const thread = relations.filter((candidate) => relType(candidate) === 'm.thread');
  const latest = thread.at(-1);
  const inner: ViewContext = { ...context, withRoomId: true };
  const result: JsonObject = {
    ...(edit === undefined ? {} : { 'm.replace': viewEvent(room, edit, inner) }),
    ...(latest === undefined
      ? {}
      : {
          'm.thread': {
            latest_event: viewEvent(room, latest, inner),
            count: thread.length,
            current_user_participated: thread.some((reply) => reply.sender === context.session.userId),
          },
        }),
  };
  return Object.keys(result).length === 0 ? null : result;
}

/** The rel_type of an event's relation; null when it has none. */
export function relType(event: StoredEvent): string | null {
  const value = objectAt(event.content, 'm.relates_to').rel_type;
  return typeof value === 'string' ? value : null;
}
