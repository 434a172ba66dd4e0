import type { JsonObject } from '../../util/json.ts';
import { stringAt } from './json-read.ts';
import type { Membership, StoredEvent } from './types.ts';

/** Place of the first element of a list sorted by `pos` that lies behind `pos`. */
export function firstAfter(events: readonly StoredEvent[], pos: number): number {
  let low = 0;
  let high = events.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((events[middle]?.pos ?? 0) <= pos) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** One room. Holds its whole history; invariant: `events` and each history of a state key are sorted by position. */
export class Room {
  readonly roomId: string;
  readonly version: string;
  readonly events: StoredEvent[] = [];
  readonly receipts = new Map<string, { readonly pos: number; readonly content: JsonObject }>();
  readonly typing = new Map<string, () => void>();
  typingPos = 0;
  lastStatePos = 0;
  readonly #byId = new Map<string, StoredEvent>();
  readonly #state = new Map<string, StoredEvent[]>();
  readonly #relations = new Map<string, StoredEvent[]>();

  constructor(roomId: string, version: string) {
    this.roomId = roomId;
    this.version = version;
  }

  get lastPos(): number {
    return this.events.at(-1)?.pos ?? 0;
  }

  append(event: StoredEvent): void {
    this.events.push(event);
    this.#byId.set(event.eventId, event);
    if (event.stateKey !== null) {
      const key = `${event.type}\0${event.stateKey}`;
      const history = this.#state.get(key) ?? [];
      history.push(event);
      this.#state.set(key, history);
      this.lastStatePos = event.pos;
    }
    const target = relatesTo(event);
    if (target !== null) this.#relations.set(target, [...(this.#relations.get(target) ?? []), event]);
  }

  event(eventId: string): StoredEvent | null {
    return this.#byId.get(eventId) ?? null;
  }

  relations(eventId: string): readonly StoredEvent[] {
    return (this.#relations.get(eventId) ?? []).filter((event) => event.redactedBecause === null);
  }

  /** The state event of that key as it was at `pos` (now when absent). */
  state(type: string, stateKey = '', pos = Number.POSITIVE_INFINITY): StoredEvent | null {
    const history = this.#state.get(`${type}\0${stateKey}`);
    return history?.findLast((event) => event.pos <= pos) ?? null;
  }

  /** State events in force at `untilPos` that came behind `afterPos`, in order of their position. */
  stateBetween(afterPos: number, untilPos: number): readonly StoredEvent[] {
    if (this.lastStatePos <= afterPos) return [];
    const found: StoredEvent[] = [];
    for (const history of this.#state.values()) {
      const event = history.findLast((candidate) => candidate.pos <= untilPos);
      if (event !== undefined && event.pos > afterPos) found.push(event);
    }
    return found.sort((a, b) => a.pos - b.pos);
  }

  membership(userId: string, pos?: number): Membership | null {
    const event = this.state('m.room.member', userId, pos);
    return event === null ? null : (stringAt(event.content, 'membership') as Membership | null);
  }

  members(membership?: Membership): readonly StoredEvent[] {
    return this.stateBetween(0, Number.POSITIVE_INFINITY).filter(
      (event) =>
        event.type === 'm.room.member' && (membership === undefined || event.content.membership === membership),
    );
  }

  isJoined(userId: string): boolean {
    return this.membership(userId) === 'join';
  }
}

function relatesTo(event: StoredEvent): string | null {
  const relation = event.content['m.relates_to'];
  if (typeof relation !== 'object' || relation === null || Array.isArray(relation)) return null;
  const target = (relation as JsonObject).event_id;
  return typeof target === 'string' && typeof (relation as JsonObject).rel_type === 'string' ? target : null;
}
