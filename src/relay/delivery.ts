import type { JsonObject } from '../util/json.ts';
import { nodeId, parseNodeId } from '../util/node-id.ts';

/**
 * What an outbox row carries, one type per road. Plain JSON, because it waits on disk; everything that can only be
 * known when the row leaves (the event id of a message that is itself still waiting) is named here and bound then.
 */

/** Something to put into a room. */
export type RoomDelivery = EventDelivery | RedactionDelivery | StateDelivery;

export interface EventDelivery {
  readonly kind: 'event';
  readonly type: string;
  readonly content: JsonObject;
  /** Relation to the event that carries this packet, bound when the row leaves. */
  readonly relation: PacketRelation | null;
  /** Remembered once the event is in the room. */
  readonly link: PacketLink | null;
  /** Sent instead when the relation cannot be bound or the server refuses the native form. */
  readonly fallback: JsonObject | null;
  /** Its file, kept here until the event is in the room: whether it must be encrypted is known only then. */
  readonly media?: StoredMedia;
}

export interface StoredMedia {
  readonly base64: string;
  readonly mimeType: string;
  readonly fileName: string;
}

export interface RedactionDelivery {
  readonly kind: 'redaction';
  readonly eventId: string;
}

export interface StateDelivery {
  readonly kind: 'state';
  readonly type: string;
  readonly content: JsonObject;
}

export interface PacketRelation {
  readonly rel: 'reply' | 'reaction';
  readonly radio: string;
  readonly packetId: number;
  /** Emoji of a reaction. */
  readonly key: string | null;
}

export interface PacketLink {
  readonly radio: string;
  readonly sender: number;
  readonly packetId: number;
  readonly text: string | null;
  readonly meshnet: string | null;
  readonly author: string | null;
}

/** Something to put on the air; the packet id is in the outbox row. */
export interface RadioDelivery {
  readonly kind: 'packet';
  readonly to: number;
  readonly channel: number;
  readonly portnum: number;
  readonly text: string;
  readonly replyId: number;
  readonly emoji: number;
  readonly wantAck: boolean;
  /** Encrypted to the addressee's public key, as far as we know; else with the channel's. */
  readonly pki: boolean;
  /** Base64 of the payload of a packet that is no text; then `text` is ''. */
  readonly payload?: string;
  readonly wantResponse?: boolean;
  /** Whom to tell about its fate; null for output that nobody waits for. */
  readonly source: DeliverySource | null;
}

export interface DeliverySource {
  /** Lane name of the room the message came from. */
  readonly room: string;
  readonly roomId: string;
  readonly eventId: string;
  readonly sender: string;
  /** 1-based part and number of parts of a split text. */
  readonly part: number;
  readonly parts: number;
}

/** An event that carries no packet: nothing links to it, and nothing stands in for it. */
export function plainEvent(type: string, content: JsonObject): EventDelivery {
  return { kind: 'event', type, content, relation: null, link: null, fallback: null };
}

/** Order within a lane: direct messages and replies before chat, chat before plugin output, that before bulk. */
export const PRIORITY = { direct: 10, reply: 20, chat: 30, status: 40, plugin: 50, bulk: 70 } as const;

export function roomLane(room: string): string {
  return `room:${room}`;
}

export function radioLane(radio: string): string {
  return `radio:${radio}`;
}

/** Name of the lane's room for direct messages with a node, as `dm:default:!0a11ce01`. */
export function directRoomName(radio: string, num: number): string {
  return `dm:${radio}:${nodeId(num)}`;
}

/** The node behind such a name; null for a room of the configuration. */
export function parseDirectRoom(room: string): { readonly radio: string; readonly node: number } | null {
  const match = /^dm:(.+):(![0-9a-f]{8})$/.exec(room);
  const num = parseNodeId(match?.[2] ?? '');
  return match?.[1] === undefined || num === null ? null : { radio: match[1], node: num };
}
