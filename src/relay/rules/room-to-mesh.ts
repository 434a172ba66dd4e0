import { isObject } from '../../util/json.ts';
import { BROADCAST } from '../../util/node-id.ts';
import { DETECTION_SENSOR_APP, TEXT_MESSAGE_APP } from '../../util/portnums.ts';
import { headOfBytes } from '../../util/utf8.ts';
import { directRoomName, PRIORITY, type RadioDelivery } from '../delivery.ts';
import type { RoomEvent } from '../ports.ts';
import type { RadioSettings, RoomRoute } from '../settings.ts';
import { eventText, readRelations } from './event-text.ts';
import {
  claimedMeshnet,
  emoteReaction,
  isTrustedRelay,
  quote,
  readForeignMessage,
  shortMeshnet,
  withoutForeignPrefix,
} from './foreign-relay.ts';
import { lateMark } from './late-mark.ts';
import { meshnetName } from './meshnet-name.ts';
import { refusal } from './permission.ts';
import { meshPrefix, roomPrefix } from './prefix.ts';
import { maxTextBytes, splitText, truncateText } from './split-text.ts';
import { type DirectTarget, drop, type Intent, text, type WorldView } from './view.ts';

/** Everything about one event that the cases below share. */
interface Outgoing {
  readonly event: RoomEvent;
  readonly route: RoomRoute;
  readonly radio: RadioSettings;
  readonly view: WorldView;
  /** Addressee of a direct message; null for the channel. */
  readonly node: number | null;
}

/** Room event to the mesh. Each `drop` names its reason, for the log and the tests. */
export function roomToMesh(event: RoomEvent, view: WorldView): readonly Intent[] {
  if (event.sender === view.ownUser) return drop('own event');
  const target = view.directTarget(event.roomId);
  const route = target === null ? view.routeOf(event.roomId) : directRoute(target, view);
  if (route === undefined) return drop('room is not mapped');
  const radio = view.settings.radios.get(route.radio);
  if (radio === undefined) return drop(`radio ${route.radio} is not configured`);
  // Plugin output of a relay of the family; never for the air.
  if (event.content.mmrelay_suppress) return drop('suppressed by its sender');
  // Our own meshnet's messages come from a relay on the same mesh: sending them again would loop for ever.
  if (claimedMeshnet(event.content) === meshnetName(radio, view)) return drop('already on this mesh');
  if (view.nowMs - event.timestampMs > view.settings.maxAgeMs) return drop('too old');
  if (!radio.broadcastEnabled && target === null) return drop('broadcast_enabled is off');
  const outgoing: Outgoing = { event, route, radio, view, node: target?.node ?? null };
  const intents = decide(outgoing);
  const transmits = intents.some((intent) => intent.kind === 'to-radio');
  const reason = transmits ? refusal(event, route, view) : null;
  return reason === null ? intents : [tell(outgoing, 'refused', `Not sent: ${reason}.`)];
}

/** The room of a node: only the configured users talk for ours, and one alone needs no signature. */
function directRoute(target: DirectTarget, view: WorldView): RoomRoute | undefined {
  const { mode, users } = view.settings.directMessages;
  if (mode === 'off') return undefined;
  return {
    room: directRoomName(target.radio, target.node),
    radio: target.radio,
    channel: 0,
    meshPrefix: users.length > 1 ? null : '',
    roomPrefix: '',
    allow: users,
    deny: [],
    minPowerLevel: null,
    locations: false,
    relayNotices: false,
  };
}

function decide(outgoing: Outgoing): readonly Intent[] {
  const { event, view } = outgoing;
  if (event.undecryptable !== null) return drop('undecryptable');
  if (isTrustedRelay(event.sender, view.settings) && readForeignMessage(event.content) !== null) {
    return foreignMessage(outgoing);
  }
  const relations = readRelations(event.content);
  if (event.type === 'm.reaction') {
    return relations.reaction === null ? drop('reaction without target') : reaction(outgoing, relations.reaction);
  }
  if (event.type === 'm.room.redaction') return redaction(outgoing);
  if (relations.edits !== null) return edit(outgoing, relations.edits);
  if (event.content.msgtype === 'm.notice' && !outgoing.route.relayNotices) return drop('m.notice');
  const words = eventText(event);
  if (words === null) return drop(`nothing to say for ${event.type}`);
  return message(outgoing, words, { replyId: outgoing.radio.replies ? targetPacket(outgoing, relations.replyTo) : 0 });
}

/** Packet id behind an event of this radio; 0 when there is none (older than the map, another mesh, never sent). */
function targetPacket({ view, radio }: Outgoing, eventId: string | null): number {
  if (eventId === null) return 0;
  // Links of an old relay name no radio: it had but one.
  return view.linksByEvent(eventId).find((link) => link.radio === radio.name || link.radio === '')?.packetId ?? 0;
}

function senderPrefix({ event, route, radio }: Outgoing): string {
  return meshPrefix(route.meshPrefix ?? radio.prefixFormat, {
    display: event.senderName ?? event.sender,
    userId: event.sender,
  });
}

function message(
  outgoing: Outgoing,
  words: string,
  options: { readonly replyId: number; readonly prefix?: string },
): readonly Intent[] {
  const { radio, view, event } = outgoing;
  const prefix = `${options.prefix ?? senderPrefix(outgoing)}${lateMark(event, view.nowMs)}`;
  const limits = {
    prefix,
    firstBytes: maxTextBytes({ reply: options.replyId !== 0, pki: outgoing.node !== null }),
    otherBytes: maxTextBytes({ pki: outgoing.node !== null }),
    maxParts: view.settings.maxParts,
  };
  const { parts, cut } =
    view.settings.longMessages === 'split' ? splitText(words, limits) : truncateText(words, limits);
  const deliveries = parts.map((part, index) =>
    delivery(outgoing, {
      text: part,
      replyId: index === 0 ? options.replyId : 0,
      part: index + 1,
      parts: parts.length,
    }),
  );
  const send: Intent = {
    kind: 'to-radio',
    radio: radio.name,
    priority: priorityOf(outgoing),
    deliveries,
    text: words,
  };
  if (!cut) return [send];
  const kept = parts.length === 1 ? 'one packet' : `${parts.length} packets`;
  return [send, tell(outgoing, 'cut', `This text was too long for the mesh: only what fits ${kept} was sent.`)];
}

function priorityOf({ node }: Outgoing): number {
  return node === null ? PRIORITY.chat : PRIORITY.direct;
}

function delivery(
  { event, route, radio, node, view }: Outgoing,
  part: {
    readonly text: string;
    readonly replyId?: number;
    readonly emoji?: number;
    readonly portnum?: number;
    readonly part?: number;
    readonly parts?: number;
  },
): RadioDelivery {
  return {
    kind: 'packet',
    to: node ?? BROADCAST,
    channel: route.channel,
    portnum: part.portnum ?? TEXT_MESSAGE_APP,
    text: part.text,
    replyId: part.replyId ?? 0,
    emoji: part.emoji ?? 0,
    wantAck: true,
    pki: node !== null && usesPublicKey(node, radio.name, view),
    source: {
      room: route.room,
      roomId: event.roomId,
      eventId: event.eventId,
      sender: event.sender,
      part: part.part ?? 1,
      parts: part.parts ?? 1,
    },
  };
}

/** A tapback: the emoji alone, with reply_id and emoji=1 (mesh.proto Data.emoji), the way the official apps send it. */
function reaction(outgoing: Outgoing, target: { readonly eventId: string; readonly key: string }): readonly Intent[] {
  if (!outgoing.radio.reactions) return drop('reactions are off');
  const replyId = targetPacket(outgoing, target.eventId);
  if (replyId === 0) return drop('reaction to a message the mesh does not know');
  const custom = target.key.startsWith('mxc://') ? text(outgoing.event.content.shortcode) : target.key;
  if (custom === null) return drop('picture reaction without a name');
  const emoji = headOfBytes(custom, maxTextBytes({ reaction: true, pki: outgoing.node !== null }));
  return [
    {
      kind: 'to-radio',
      radio: outgoing.radio.name,
      priority: priorityOf(outgoing),
      deliveries: [delivery(outgoing, { text: emoji, replyId, emoji: 1 })],
      text: null,
    },
  ];
}

/** An edit is one short correction, sent as a reply to what it corrects, and only when the mesh has seen that. */
function edit(
  outgoing: Outgoing,
  target: { readonly eventId: string; readonly content: RoomEvent['content'] },
): readonly Intent[] {
  if (outgoing.view.settings.edits === 'ignore') return drop('edits are ignored');
  const replyId = targetPacket(outgoing, target.eventId);
  if (replyId === 0) return drop('edit of a message the mesh does not know');
  const words = eventText(outgoing.event, target.content);
  if (words === null) return drop('empty edit');
  const before = outgoing.view.linksByEvent(target.eventId)[0]?.text ?? null;
  if (before === words) return drop('edit that changes nothing');
  return message(outgoing, `* ${words}`, { replyId });
}

function redaction(outgoing: Outgoing): readonly Intent[] {
  const { event, view } = outgoing;
  if (view.settings.redactions === 'ignore') return drop('redactions are ignored');
  const link = event.redacts === null ? undefined : view.linksByEvent(event.redacts)[0];
  if (link === undefined || link.radio !== outgoing.radio.name)
    return drop('redaction of a message the mesh does not know');
  const quoted = link.text === null ? '' : `: "${quote(link.text)}"`;
  return message(outgoing, `deleted a message${quoted}`, { replyId: link.packetId });
}

/** A message of another meshnet, from a relay we trust: it keeps its sender's name, and its reply stays a reply. */
function foreignMessage(outgoing: Outgoing): readonly Intent[] {
  const { event, radio, view } = outgoing;
  const foreign = readForeignMessage(event.content);
  if (foreign === null) return drop('not a relay message');
  if (foreign.isReaction) return foreignReaction(outgoing, foreign.short, foreign.meshnet);
  if (foreign.portnum === DETECTION_SENSOR_APP) {
    if (!radio.detectionSensor) return drop('detection_sensor is off');
    const alarm = headOfBytes(foreign.text ?? '', maxTextBytes({}));
    const intent: Intent = {
      kind: 'to-radio',
      radio: radio.name,
      priority: PRIORITY.chat,
      deliveries: [delivery(outgoing, { text: alarm, portnum: DETECTION_SENSOR_APP })],
      text: null,
    };
    return alarm === '' ? drop('empty text') : [intent];
  }
  const format = view.settings.roomPrefixFormat;
  const words = (foreign.text ?? withoutForeignPrefix(eventText(event) ?? '', foreign, format)).trim();
  if (words === '') return drop('empty text');
  const prefix = roomPrefix(format, {
    long: foreign.long,
    short: foreign.short,
    mesh: shortMeshnet(foreign.meshnet),
  });
  const replyId = radio.replies ? targetPacket(outgoing, readRelations(event.content).replyTo) : 0;
  // Without a prefix nobody could tell who speaks: a foreign node is always named (W41).
  return message(outgoing, words, {
    replyId,
    prefix: prefix === '' ? `${foreign.short}/${shortMeshnet(foreign.meshnet)}: ` : prefix,
  });
}

/** Native where the event says what it reacts to (our own kind), words where it is an old relay's emote. */
function foreignReaction(outgoing: Outgoing, short: string, meshnet: string): readonly Intent[] {
  const { event } = outgoing;
  const relations = readRelations(event.content);
  if (relations.reaction !== null) return reaction(outgoing, relations.reaction);
  if (!outgoing.radio.reactions) return drop('reactions are off');
  const emoji = emoteReaction(text(event.content.body) ?? '');
  const original = quote(text(event.content.meshtastic_text) ?? '');
  return message(outgoing, `reacted ${emoji} to "${original}"`, {
    replyId: 0,
    prefix: `${short}/${shortMeshnet(meshnet)} `,
  });
}

function tell({ event, route }: Outgoing, reason: Extract<Intent, { kind: 'tell' }>['reason'], words: string): Intent {
  return { kind: 'tell', room: route.room, eventId: event.eventId, sender: event.sender, reason, text: words };
}

/** Event types that may become messages; others are not even stored. */
export function isRelayable(event: RoomEvent): boolean {
  if (event.stateKey !== null) return false;
  if (event.type === 'm.room.message') {
    if (!isObject(event.content)) return false;
    const { msgtype } = event.content;
    // "... is requesting to verify your key" is between clients.
    return msgtype !== undefined && msgtype !== 'm.key.verification.request';
  }
  return RELAYED_TYPES.has(event.type);
}

const RELAYED_TYPES: ReadonlySet<string> = new Set([
  'm.reaction',
  'm.room.redaction',
  'm.room.encrypted',
  'm.sticker',
  'm.poll.start',
  'org.matrix.msc3381.poll.start',
]);

/** The firmware encrypts a direct message to the node's key where both sides have one (Router.cpp, perhapsEncode). */
function usesPublicKey(node: number, radio: string, view: WorldView): boolean {
  return view.radioInfo(radio)?.hasPkc === true && (view.node(radio, node)?.publicKey ?? null) !== null;
}
