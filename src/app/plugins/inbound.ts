import type { Json, Packet, RoomMessage } from '../../plugins/api.ts';
import type { Inbound } from '../../plugins/host/types.ts';
import { decodePayload } from '../../radio/codec/decode-payload.ts';
import type { MeshPacket, RoomEvent, RoomFacts } from '../../relay/ports.ts';
import { readRelations } from '../../relay/rules/event-text.ts';
import { claimedMeshnet } from '../../relay/rules/foreign-relay.ts';
import { readMeshMessage } from '../../relay/rules/mesh-to-room.ts';
import { meshnetName } from '../../relay/rules/meshnet-name.ts';
import { classifyPacket } from '../../relay/rules/packet-class.ts';
import { roomPrefix } from '../../relay/rules/prefix.ts';
import { text, type WorldView } from '../../relay/rules/view.ts';
import type { RoomRoute } from '../../relay/settings.ts';
import type { InboxRow } from '../../relay/store-port.ts';
import { BROADCAST, nodeId } from '../../util/node-id.ts';
import { portName } from '../../util/portnums.ts';

/** Nobody waits that long for the answer to a command. */
const STALE_MS = 10 * 60_000;

/** An inbox row as plugins see it; null for what is none of theirs. */
export function toInbound(
  { item }: InboxRow,
  view: WorldView,
  roomFacts: (roomId: string) => RoomFacts | null,
): Inbound | null {
  return item.kind === 'mesh' ? fromMesh(item.radio, item.packet, view) : fromRoom(item.event, view, roomFacts);
}

/** Packets of ignored nodes, of disabled ports and for other nodes are not shown to plugins (spec 03 section 3.5). */
function fromMesh(radioName: string, packet: MeshPacket, view: WorldView): Inbound | null {
  const radio = view.settings.radios.get(radioName);
  if (radio === undefined || radio.ignoredNodes.has(packet.from)) return null;
  if (classifyPacket(packet, radio) === 'drop') return null;
  const own = view.radioInfo(radioName)?.nodeNum ?? null;
  const direct = own !== null && packet.to === own;
  if (!direct && packet.to !== BROADCAST && packet.to !== 0) return null;
  const seen = pluginPacket(radioName, packet, direct);
  const message = readMeshMessage(radioName, packet, view);
  const isOld = packet.rxTimeS > 0 && view.nowMs - packet.rxTimeS * 1_000 > STALE_MS;
  // A tapback is no text.
  if (typeof message === 'string' || packet.emoji !== 0 || isOld) return { kind: 'mesh', packet: seen, text: null };
  const { long, short } = message.author;
  const meshnet = meshnetName(radio, view);
  const prefix = roomPrefix(view.settings.roomPrefixFormat, { long, short, mesh: meshnet });
  const author = { num: packet.from, id: seen.fromId, longName: long, shortName: short };
  return {
    kind: 'mesh',
    packet: seen,
    text: { text: message.text, author, meshnet, formatted: prefix + message.text, packet: seen },
  };
}

function pluginPacket(radio: string, packet: MeshPacket, direct: boolean): Packet {
  const { wantAck: _ack, pkiEncrypted: _pki, ...fields } = packet;
  const knowsHops = packet.hopStart > 0 && packet.hopStart >= packet.hopLimit;
  return {
    ...fields,
    radio,
    fromId: nodeId(packet.from),
    portName: packet.encrypted ? 'ENCRYPTED' : portName(packet.portnum),
    hops: knowsHops ? packet.hopStart - packet.hopLimit : null,
    direct,
    decoded: decodePayload(packet),
  };
}

function fromRoom(event: RoomEvent, view: WorldView, roomFacts: (roomId: string) => RoomFacts | null): Inbound | null {
  const { content } = event;
  if (event.sender === view.ownUser || event.type !== 'm.room.message' || event.undecryptable !== null) return null;
  const route = view.routeOf(event.roomId);
  const facts = roomFacts(event.roomId);
  // Output of a relay, ours or another, is no message: answering it is how loops begin.
  if (content.mmrelay_suppress || claimedMeshnet(content) !== null) return fromRelay(event, view, { route, facts });
  return fromPerson(event, view, { route, facts });
}

interface RoomPlace {
  readonly route: RoomRoute | undefined;
  readonly facts: RoomFacts | null;
}

function fromRelay(event: RoomEvent, view: WorldView, { route, facts }: RoomPlace): Inbound | null {
  const { sender, eventId, timestampMs, encrypted } = event;
  if (route === undefined || view.nowMs - timestampMs > STALE_MS) return null;
  // In an encrypted room, what nobody encrypted may be an invention of the server.
  if (facts !== null && facts.encrypted !== false && !encrypted) return null;
  const { room, radio, channel } = route;
  const content = event.content as { readonly [key: string]: Json | undefined };
  return { kind: 'relay', event: { room, eventId, sender, timestampMs, radio, channel, encrypted, content } };
}

/** Texts of people in mapped rooms, and of somebody alone with the bot. */
function fromPerson(event: RoomEvent, view: WorldView, { route, facts }: RoomPlace): Inbound | null {
  const { content } = event;
  const msgtype = text(content.msgtype) ?? 'm.text';
  if (msgtype !== 'm.text' && msgtype !== 'm.emote') return null;
  const relations = readRelations(content);
  const body = text(content.body);
  if (body === null || relations.edits !== null) return null;
  const isDirect = route === undefined && facts?.memberCount === 2 && view.directTarget(event.roomId) === null;
  if (route === undefined && !isDirect) return null;
  const html = content.format === 'org.matrix.custom.html' ? text(content.formatted_body) : null;
  const message: RoomMessage = {
    room: route?.room ?? event.roomId,
    roomId: event.roomId,
    eventId: event.eventId,
    sender: event.sender,
    senderName: event.senderName ?? event.sender,
    text: withoutQuotation(body, relations.replyTo !== null),
    msgtype,
    replyTo: relations.replyTo,
    timestampMs: event.timestampMs,
    radio: route?.radio ?? null,
    channel: route?.channel ?? null,
    encrypted: event.encrypted,
  };
  return { kind: 'room', message, formattedBody: html, stale: view.nowMs - event.timestampMs > STALE_MS };
}

/** Old clients put what they answer before the text, each line with `> `, then a blank line. */
function withoutQuotation(body: string, isReply: boolean): string {
  const lines = body.split('\n');
  if (!isReply || !lines[0]?.startsWith('> ')) return body.trim();
  const end = lines.findIndex((line) => !line.startsWith('>'));
  return end === -1 ? '' : lines.slice(end).join('\n').trim();
}
