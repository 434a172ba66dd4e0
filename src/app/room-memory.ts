import type { UpgradeMemory } from '../matrix/room-upgrades.ts';
import type { ValueStore } from '../relay/store-port.ts';

/** Rooms once seen upgraded, kept for ever. */
export function upgradedRooms(values: ValueStore): UpgradeMemory {
  const key = (roomId: string): string => `upgraded:${roomId}`;
  return {
    get: (roomId) => values.get(key(roomId)),
    set: (roomId, successor) => values.set(key(roomId), successor),
  };
}
