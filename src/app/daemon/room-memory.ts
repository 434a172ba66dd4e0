import type { RoomMemory } from '../../matrix/rooms/room-memory.ts';
import type { ValueStore } from '../../relay/store-port.ts';

/** One fact about each room, kept for ever under `<fact>:<room id>`. */
export function roomMemory(values: ValueStore, fact: 'upgraded' | 'sent-by'): RoomMemory {
  return {
    get: (roomId) => values.get(`${fact}:${roomId}`),
    set: (roomId, value) => values.set(`${fact}:${roomId}`, value),
  };
}
