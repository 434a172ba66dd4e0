import type { RoomEvent, SyncBatch } from '../ports.ts';
import type { ValueStore } from '../store-port.ts';

/**
 * The events of a sync answer that are news to us. The first answer ever is history; so is what a room said before we
 * joined it, which the homeserver sends along with the join. Rooms we have been in are remembered in the store.
 * Call inside the transaction that stores the batch.
 */
export function newsOf(batch: SyncBatch, ownUser: string | null, values: ValueStore): readonly RoomEvent[] {
  const joinedAt = new Map<string, number>();
  batch.events.forEach((event, index) => {
    if (event.type === 'm.room.member' && event.stateKey === ownUser && ownUser !== null) {
      if (event.content.membership !== 'join') values.delete(roomKey(event.roomId));
      else if (!isKnownRoom(event.roomId, values)) joinedAt.set(event.roomId, index);
    }
  });
  const rooms = new Set(batch.events.map((event) => event.roomId));
  const known = new Map([...rooms].map((roomId) => [roomId, isKnownRoom(roomId, values)]));
  for (const roomId of rooms) if (known.get(roomId) === false) values.set(roomKey(roomId), 'joined');
  if (batch.initial) return [];
  return batch.events.filter(
    (event, index) => known.get(event.roomId) === true || index > (joinedAt.get(event.roomId) ?? -1),
  );
}

/** Whether we have been in this room, and not left it since. */
export function isKnownRoom(roomId: string, values: ValueStore): boolean {
  return values.get(roomKey(roomId)) !== null;
}

function roomKey(roomId: string): string {
  return `room:${roomId}`;
}
