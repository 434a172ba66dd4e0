import type { RadioDelivery, RoomDelivery } from '../delivery.ts';
import type { MeshNode, RadioInfo } from '../ports.ts';
import type { RelaySettings, RoomRoute } from '../settings.ts';
import type { MessageLink } from '../store-port.ts';

/** What the rules may look at: a frozen moment, fetched by the engine, so that rules need no I/O and no clock. */
export interface WorldView {
  readonly settings: RelaySettings;
  readonly nowMs: number;
  /** Our own Matrix user; null before the first login. */
  readonly ownUser: string | null;
  radioInfo(radio: string): RadioInfo | null;
  node(radio: string, num: number): MeshNode | null;
  /** Names for people: never empty, `!hex` for a stranger, marked when two nodes share a name. */
  names(num: number): { readonly long: string; readonly short: string };
  linkByPacket(key: {
    readonly radio: string;
    readonly packetId: number;
    readonly sender?: number;
    readonly roomId?: string;
  }): MessageLink | null;
  linksByEvent(eventId: string): readonly MessageLink[];
  /** The route of a room, by its id; the room may have been upgraded since. */
  routeOf(roomId: string): RoomRoute | undefined;
  powerLevel(roomId: string, userId: string): number | null;
  /** The node whose direct messages live in this room; null for any other room. */
  directTarget(roomId: string): DirectTarget | null;
}

export interface DirectTarget {
  readonly radio: string;
  readonly node: number;
}

export type Intent =
  | {
      readonly kind: 'to-room';
      readonly room: string;
      readonly priority: number;
      readonly delivery: RoomDelivery;
    }
  | {
      readonly kind: 'to-radio';
      readonly radio: string;
      readonly priority: number;
      /** Parts of one text leave together, in order. */
      readonly deliveries: readonly RadioDelivery[];
      /** The text for quotes; null for kinds that are not remembered. */
      readonly text: string | null;
    }
  | {
      /** Tell the sender something about their message. */
      readonly kind: 'tell';
      readonly room: string;
      readonly eventId: string;
      readonly sender: string;
      readonly reason: TellReason;
      readonly text: string;
    }
  | { readonly kind: 'drop'; readonly reason: string };

/** `refused` and `rate` are said at most once a minute per sender. */
export type TellReason = 'cut' | 'refused' | 'rate' | 'expired' | 'failed' | 'unread';

export function drop(reason: string): readonly Intent[] {
  return [{ kind: 'drop', reason }];
}

/** A non-empty string, or null. */
export function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
