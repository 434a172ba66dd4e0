import type { JsonObject } from '../../util/json.ts';
import { portName } from '../../util/portnums.ts';
import type { MeshPacket } from '../ports.ts';

/** Who sent a mesh message, in the words of the custom keys that relays of the same family read (spec 02 section 2.8). */
export interface MeshAuthor {
  readonly long: string;
  readonly short: string;
  readonly meshnet: string;
}

/** The custom content keys of a mesh packet. */
export function meshKeys(packet: MeshPacket, author: MeshAuthor, rawText: string): JsonObject {
  return {
    meshtastic_longname: author.long,
    meshtastic_shortname: author.short,
    meshtastic_meshnet: author.meshnet,
    meshtastic_portnum: portName(packet.portnum),
    ...(packet.id === 0 ? {} : { meshtastic_id: packet.id }),
    ...(packet.replyId === 0 ? {} : { meshtastic_replyId: packet.replyId }),
    ...(packet.emoji === 0 ? {} : { meshtastic_emoji: 1 }),
    meshtastic_text: rawText,
  };
}

const ROOM_MENTION = /@room/i;

/**
 * A text as typed. There is no formatted_body: a body alone is shown literally by every client, so `2*3*4`, `<b>`
 * and `[/x]` arrive as they were sent (the old relay read them as Markdown and HTML, W26).
 * Only `@room` is defused: somebody on the mesh must not ring everybody's phone with the rights of the relay (m.mentions,
 * client-server API 1.7: with it, clients no longer look for the word in the body).
 */
export function textContent(body: string, keys: JsonObject): JsonObject {
  return { msgtype: 'm.text', body, ...(ROOM_MENTION.test(body) ? { 'm.mentions': {} } : {}), ...keys };
}

export function replyContent(content: JsonObject, eventId: string): JsonObject {
  return { ...content, 'm.relates_to': { 'm.in_reply_to': { event_id: eventId } } };
}

export function reactionContent(keys: JsonObject, eventId: string, key: string): JsonObject {
  return { ...keys, 'm.relates_to': { rel_type: 'm.annotation', event_id: eventId, key } };
}

/** A location message (m.location) with its geo URI, RFC 5870. */
export function locationContent(
  body: string,
  point: { readonly latitude: number; readonly longitude: number; readonly altitudeM: number | null },
  keys: JsonObject,
): JsonObject {
  const altitude = point.altitudeM === null ? '' : `,${point.altitudeM}`;
  return {
    msgtype: 'm.location',
    body,
    geo_uri: `geo:${point.latitude.toFixed(6)},${point.longitude.toFixed(6)}${altitude}`,
    ...keys,
  };
}
