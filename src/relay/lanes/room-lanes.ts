import { roomLane } from '../delivery.ts';
import { type AccountGate, RoomLane, type RoomLaneOptions } from './room-lane.ts';

export type SharedLaneOptions = Omit<RoomLaneOptions, 'lane' | 'room' | 'gate'>;

/**
 * The lanes of all rooms. One per engine. Holds a lane per room, made when the room is first written to: rooms for
 * direct messages come into being that way. Invariant: at most one lane per room runs.
 */
export class RoomLanes {
  readonly #options: SharedLaneOptions;
  readonly #gate: AccountGate = { notBeforeMs: 0 };
  readonly #lanes = new Map<string, RoomLane>();
  #state: 'idle' | 'running' | 'stopped' = 'idle';

  constructor(options: SharedLaneOptions) {
    this.#options = options;
  }

  /** Starts the lanes of these rooms, and of every room that has something waiting. */
  start(rooms: readonly string[]): void {
    this.#state = 'running';
    const waiting = this.#options.store.outbox.depths().map(({ lane }) => lane);
    for (const lane of [...rooms.map(roomLane), ...waiting.filter(isRoomLane)]) this.wake(lane);
  }

  async stop(): Promise<void> {
    this.#state = 'stopped';
    await Promise.all([...this.#lanes.values()].map((lane) => lane.stop()));
  }

  /** The lane has a new row. Lanes of radios are none of ours. */
  wake(lane: string): void {
    if (!isRoomLane(lane) || this.#state !== 'running') return;
    const known = this.#lanes.get(lane);
    if (known !== undefined) {
      known.wake();
      return;
    }
    const fresh = new RoomLane({ ...this.#options, lane, room: lane.slice(roomLane('').length), gate: this.#gate });
    this.#lanes.set(lane, fresh);
    fresh.start();
  }

  onMatrixUp(): void {
    for (const lane of this.#lanes.values()) lane.onMatrixUp();
  }

  /** Lanes with the time for which each has owed its next step. */
  overdueMs(): ReadonlyMap<string, number> {
    return new Map([...this.#lanes].map(([name, lane]) => [name, lane.overdueMs()]));
  }

  /** Rooms that take nothing at the moment, with the reason. */
  blocked(): ReadonlyMap<string, string> {
    const reasons = [...this.#lanes.values()].map((lane) => [lane.room, lane.blocked()] as const);
    return new Map(reasons.filter((entry): entry is readonly [string, string] => entry[1] !== null));
  }
}

function isRoomLane(lane: string): boolean {
  return lane.startsWith(roomLane(''));
}
