import { BROADCAST, nodeId } from '../../util/node-id.ts';
import { DETECTION_SENSOR_APP, TEXT_MESSAGE_APP } from '../../util/portnums.ts';
import { utf8Decode } from '../../util/utf8.ts';
import { directRoomName, type EventDelivery, type PacketLink, PRIORITY, plainEvent } from '../delivery.ts';
import type { MeshPacket } from '../ports.ts';
import type { RadioSettings, RoomRoute } from '../settings.ts';
import { type MeshPlace, readPlace } from './mesh-place.ts';
import { meshnetName } from './meshnet-name.ts';
import { classifyPacket } from './packet-class.ts';
import { roomPrefix } from './prefix.ts';
import { locationContent, type MeshAuthor, meshKeys, textContent } from './room-content.ts';
import { drop, type Intent, type WorldView } from './view.ts';

/** What became of a packet: for plugins only, or a message with its destinations. */
export interface MeshMessage {
  readonly packet: MeshPacket;
  readonly radio: RadioSettings;
  readonly author: MeshAuthor;
  readonly text: string;
  readonly direct: boolean;
}

/** The message in a packet, or the reason why there is none. */
export function readMeshMessage(radioName: string, packet: MeshPacket, view: WorldView): MeshMessage | string {
  const radio = view.settings.radios.get(radioName);
  if (radio === undefined) return `radio ${radioName} is not configured`;
  if (radio.ignoredNodes.has(packet.from)) return 'node is ignored';
  const kind = classifyPacket(packet, radio);
  if (kind !== 'relay') return kind === 'drop' ? 'port is disabled' : 'port is for plugins only';
  const own = view.radioInfo(radioName)?.nodeNum ?? null;
  const direct = own !== null && packet.to === own;
  if (!direct && packet.to !== BROADCAST) return 'addressed to another node';
  // A bell character or a stray NUL is not text; nothing else is touched.
  const text = utf8Decode(packet.payload).replaceAll('\u0000', '');
  if (text.trim() === '') return 'empty text';
  const names = view.names(packet.from);
  return { packet, radio, text, direct, author: { ...names, meshnet: meshnetName(radio, view) } };
}

/**
 * Mesh packet to rooms. A direct message to our node never reaches a room that others read, whatever its kind (W17);
 * replies and reactions stay in the rooms of the channel they came on.
 */
export function meshToRooms(radioName: string, packet: MeshPacket, view: WorldView): readonly Intent[] {
  const place = readPlace(packet);
  if (place !== null) return placeToRooms(radioName, packet, { place, view });
  const message = readMeshMessage(radioName, packet, view);
  if (typeof message === 'string') return drop(message);
  if (message.direct) return directToRoom(message, view);
  const routes = view.settings.routes.filter((route) => route.radio === radioName && route.channel === packet.channel);
  if (routes.length === 0) return drop(`no room is mapped to channel ${packet.channel}`);
  return routes.map((route) => ({
    kind: 'to-room',
    room: route.room,
    priority: PRIORITY.chat,
    delivery: messageDelivery(message, route, view),
  }));
}

/** Positions and waypoints, for rooms that asked for them. */
function placeToRooms(
  radioName: string,
  packet: MeshPacket,
  context: { readonly place: MeshPlace; readonly view: WorldView },
): readonly Intent[] {
  const { place, view } = context;
  const radio = view.settings.radios.get(radioName);
  const wanted = view.settings.routes.filter(
    (route) => route.locations && route.radio === radioName && route.channel === packet.channel,
  );
  if (radio === undefined || wanted.length === 0 || packet.to !== BROADCAST) return drop('port is for plugins only');
  if (radio.ignoredNodes.has(packet.from)) return drop('node is ignored');
  const names = view.names(packet.from);
  const author = { ...names, meshnet: meshnetName(radio, view) };
  const what = place.kind === 'position' ? 'position' : `waypoint ${place.words}`.trim();
  return wanted.map((route) => {
    const format = route.roomPrefix ?? view.settings.roomPrefixFormat;
    const prefix = roomPrefix(format, { long: author.long, short: author.short, mesh: author.meshnet });
    const body = `${prefix}${what} ${place.latitude.toFixed(5)},${place.longitude.toFixed(5)}`;
    // Never for another mesh: a place is no chat, and beacons would fill its air.
    const keys = { ...meshKeys(packet, author, ''), meshtastic_text: undefined, mmrelay_suppress: true };
    const content = locationContent(body, place, keys);
    return {
      kind: 'to-room',
      room: route.room,
      priority: PRIORITY.chat,
      delivery: plainEvent('m.room.message', content),
    };
  });
}

/** A direct message goes to the room of its node, where only the configured users are; or, without one, nowhere. */
function directToRoom(message: MeshMessage, view: WorldView): readonly Intent[] {
  if (view.settings.directMessages.mode === 'off') return drop('direct message to our node');
  const room = directRoomName(message.radio.name, message.packet.from);
  // The room bears the node's name: a prefix would only repeat it.
  const delivery = messageDelivery(message, { roomPrefix: '' }, view);
  return [{ kind: 'to-room', room, priority: PRIORITY.direct, delivery }];
}

function messageDelivery(message: MeshMessage, route: Pick<RoomRoute, 'roomPrefix'>, view: WorldView): EventDelivery {
  const { packet, author, text } = message;
  const format = route.roomPrefix ?? view.settings.roomPrefixFormat;
  const prefix = roomPrefix(format, { long: author.long, short: author.short, mesh: author.meshnet });
  const keys = meshKeys(packet, author, text);
  const plain = textContent(prefix + text, keys);
  const interactive = packet.portnum === TEXT_MESSAGE_APP && packet.replyId !== 0;
  const base: EventDelivery = { ...plainEvent('m.room.message', plain), link: packetLink(message) };
  if (!interactive) return base;
  const target = { radio: message.radio.name, packetId: packet.replyId };
  if (packet.emoji !== 0) {
    if (!message.radio.reactions) return base;
    const spoken = textContent(`${prefix}reacted ${text.trim()}`, keys);
    return {
      ...base,
      type: 'm.reaction',
      content: keys,
      relation: { ...target, rel: 'reaction', key: text.trim() },
      link: null,
      fallback: spoken,
    };
  }
  return message.radio.replies ? { ...base, relation: { ...target, rel: 'reply', key: null } } : base;
}

function packetLink({ packet, radio, text, author }: MeshMessage): PacketLink | null {
  if (packet.id === 0 || packet.portnum === DETECTION_SENSOR_APP) return null;
  return {
    radio: radio.name,
    sender: packet.from,
    packetId: packet.id,
    text,
    meshnet: author.meshnet,
    author: nodeId(packet.from),
  };
}
