import type { Logger } from '../../util/logger.ts';
import { asObject, asString } from '../json-read.ts';
import type { SyncSections } from '../sync/sync-answer.ts';
import type { RoomMemory } from './room-memory.ts';

/** More upgrades in a row than any room has seen: two rooms may name each other. */
const MAX_STEPS = 50;

/**
 * Rooms that were upgraded (m.room.tombstone, client-server API "Room Upgrades"). One per adapter. Holds the server to
 * join each successor through. Invariant: once seen, an upgrade is remembered for ever: the old room is closed.
 */
export class RoomUpgrades {
  readonly #memory: RoomMemory;
  readonly #logger: Logger;
  readonly #via = new Map<string, string>();

  /** @param memory which room replaced each */
  constructor(memory: RoomMemory, logger: Logger) {
    this.#memory = memory;
    this.#logger = logger;
  }

  /** The room that stands for this one now: itself, or the last of its successors. */
  follow(roomId: string): string {
    let current = roomId;
    for (let step = 0; step < MAX_STEPS; step += 1) {
      const next = this.#memory.get(current);
      if (next === null) return current;
      current = next;
    }
    return roomId;
  }

  /** Servers that know the way into a successor. */
  via(roomId: string): Readonly<Record<string, string>> {
    const server = this.#via.get(roomId);
    return server === undefined ? {} : { server_name: server, via: server };
  }

  /** Takes note of the tombstones in a sync answer. */
  onSync(sections: SyncSections): void {
    for (const { roomId, state } of sections.joined) {
      for (const event of state) {
        if (event.type !== 'm.room.tombstone' || event.state_key !== '') continue;
        const successor = asString(asObject(event.content).replacement_room);
        if (successor?.startsWith('!') && successor !== roomId) this.#note(roomId, successor, asString(event.sender));
      }
    }
  }

  #note(roomId: string, successor: string, sender: string | null): void {
    const server = sender?.slice(sender.indexOf(':') + 1);
    if (server) this.#via.set(successor, server);
    if (this.#memory.get(roomId) === successor) return;
    this.#memory.set(roomId, successor);
    this.#logger.warn('A room was upgraded; if it is configured by its id, put the new one there', {
      room: roomId,
      successor,
    });
  }
}
