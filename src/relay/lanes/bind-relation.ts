import type { JsonObject } from '../../util/json.ts';
import type { EventDelivery } from '../delivery.ts';
import { reactionContent, replyContent } from '../rules/room-content.ts';
import type { LinkStore } from '../store-port.ts';

export interface BoundEvent {
  readonly type: string;
  readonly content: JsonObject;
}

/**
 * The event as it leaves: its relation bound to the event that carries the packet, in this room. A reaction to a
 * message nobody remembers becomes words; a reply to one becomes an ordinary message, so that nothing is lost.
 */
export function bindRelation(delivery: EventDelivery, roomId: string, links: LinkStore): BoundEvent {
  const { relation, content, type, fallback } = delivery;
  if (relation === null) return { type, content };
  const link = links.byPacket({ radio: relation.radio, packetId: relation.packetId, roomId });
  if (link === null) return fallback === null ? { type, content } : { type: 'm.room.message', content: fallback };
  if (relation.rel === 'reply') return { type, content: replyContent(content, link.eventId) };
  return { type, content: reactionContent(content, link.eventId, relation.key ?? '') };
}

/** What to send when the server refuses the native form, as a second reaction with the same emoji by one user. */
export function fallbackEvent(delivery: EventDelivery, roomId: string, links: LinkStore): BoundEvent | null {
  if (delivery.fallback === null || delivery.relation === null) return null;
  const { radio, packetId } = delivery.relation;
  const link = links.byPacket({ radio, packetId, roomId });
  const content = link === null ? delivery.fallback : replyContent(delivery.fallback, link.eventId);
  return { type: 'm.room.message', content };
}
