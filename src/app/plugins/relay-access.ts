import type {
  DeviceMetrics,
  Image,
  MeshOutput,
  NodeInfo,
  PacketOutput,
  Position,
  RelayStatus,
  RoomOutput,
} from '../../plugins/api.ts';
import type { RelayAccess } from '../../plugins/host/types.ts';
import { markdownToHtml } from '../../plugins/markdown.ts';
import { type EventDelivery, PRIORITY, plainEvent, type RadioDelivery } from '../../relay/delivery.ts';
import type { MatrixPort, MeshNode, RadioPort } from '../../relay/ports.ts';
import { maxTextBytes, splitText } from '../../relay/rules/split-text.ts';
import type { Intent, WorldView } from '../../relay/rules/view.ts';
import type { StorePort } from '../../relay/store-port.ts';
import type { JsonObject } from '../../util/json.ts';
import { BROADCAST, nodeId } from '../../util/node-id.ts';
import { TEXT_MESSAGE_APP } from '../../util/portnums.ts';
import { RelayError } from '../../util/relay-error.ts';
import { headOfBytes } from '../../util/utf8.ts';
import type { RadioReleases } from '../radios/radio-releases.ts';

export interface PluginAccessOptions {
  readonly store: StorePort;
  readonly matrix: MatrixPort;
  readonly radios: ReadonlyMap<string, RadioPort>;
  /** The engine's; asked late, because the engine is built around the host. */
  readonly view: () => WorldView;
  readonly submit: (intents: readonly Intent[], origin: string) => void;
  readonly status: () => RelayStatus;
  readonly releases: Pick<RadioReleases, 'release' | 'claim'>;
}

/** Largest payload of a Data message that still fits a LoRa frame (as maxTextBytes). */
const MAX_PAYLOAD_BYTES = 233;

/** What plugins get of the relay. Everything they send goes into the outbox, behind chat, and marked as theirs. */
export function pluginAccess(options: PluginAccessOptions): RelayAccess {
  const { matrix, view, submit, status, releases } = options;
  const origin = (plugin: string): string => `plugin:${plugin}`;
  return {
    sendMesh: (output, plugin) => submit([meshText(output, options)], origin(plugin)),
    sendPacket: (output, plugin) => submit([rawPacket(output, options)], origin(plugin)),
    sendRoom: async (output, plugin) => {
      checkRoom(output.room, options);
      const { type, content, ...media } = roomEvent(output);
      const delivery = { ...plainEvent(type, content), ...media };
      submit([{ kind: 'to-room', room: output.room, priority: PRIORITY.plugin, delivery }], origin(plugin));
    },
    nodes: () => [...options.radios.values()].flatMap(nodesOf),
    ownNode: (name) => radioOf(name ?? undefined, options).info()?.nodeNum ?? null,
    positions: () => collect(options, (node): Position | null => node.position),
    telemetry: () => collect(options, (node): DeviceMetrics | null => node.metrics),
    status,
    releaseRadio: (radio, forMs) => releases.release(radio, forMs),
    claimRadio: (radio) => releases.claim(radio),
    rooms: () => view().settings.routes.map(({ room, radio, channel }) => ({ room, radio, channel })),
    bot: (roomId) => {
      const userId = matrix.userId();
      return { userId, displayName: userId === null ? null : (matrix.memberName?.(roomId, userId) ?? null) };
    },
    powerLevel: (roomId, userId) => matrix.powerLevel(roomId, userId),
  };
}

function radioOf(name: string | undefined, { radios }: PluginAccessOptions): RadioPort {
  const radio = name === undefined ? radios.values().next().value : radios.get(name);
  if (radio === undefined) throw new RelayError('PLUGIN_RADIO', `No radio is called ${name ?? '(none)'}`);
  return radio;
}

function meshText(output: MeshOutput, options: PluginAccessOptions): Intent {
  const radio = radioOf(output.radio, options);
  const replyId = output.replyId ?? 0;
  const isDirect = output.to !== undefined;
  const limit = { reply: replyId !== 0, reaction: output.emoji === true, pki: isDirect };
  const text = output.text.trim();
  if (text === '') throw new RelayError('PLUGIN_EMPTY', 'An empty text cannot be sent');
  const { maxParts } = options.view().settings;
  const split = { prefix: '', firstBytes: maxTextBytes(limit), otherBytes: maxTextBytes({ pki: isDirect }), maxParts };
  const parts = output.emoji === true ? [headOfBytes(text, maxTextBytes(limit))] : splitText(text, split).parts;
  return {
    kind: 'to-radio',
    radio: radio.name,
    priority: PRIORITY.plugin,
    deliveries: parts.map((part, index) => ({
      ...packetTo(output.to ?? BROADCAST, output.channel),
      text: part,
      replyId: index === 0 ? replyId : 0,
      emoji: output.emoji === true ? 1 : 0,
    })),
    text: null,
  };
}

function rawPacket(output: PacketOutput, options: PluginAccessOptions): Intent {
  const radio = radioOf(output.radio, options);
  // Answers to commands go out whatever this says; packets that nobody on this mesh asked for do not.
  if (output.to === BROADCAST && options.view().settings.radios.get(radio.name)?.broadcastEnabled === false)
    throw new RelayError(
      'PLUGIN_BROADCAST',
      `Broadcasts by radio ${radio.name} are off (meshtastic.broadcast_enabled)`,
    );
  if (output.payload.length > MAX_PAYLOAD_BYTES)
    throw new RelayError(
      'PLUGIN_TOO_LARGE',
      `A packet carries ${MAX_PAYLOAD_BYTES} bytes, not ${output.payload.length}`,
    );
  return {
    kind: 'to-radio',
    radio: radio.name,
    priority: PRIORITY.plugin,
    deliveries: [
      {
        ...packetTo(output.to, output.channel),
        portnum: output.portnum,
        payload: Buffer.from(output.payload).toString('base64'),
        wantResponse: output.wantResponse === true,
      },
    ],
    text: null,
  };
}

function packetTo(to: number, channel = 0): RadioDelivery {
  const isDirect = to !== BROADCAST;
  return {
    kind: 'packet',
    to,
    channel,
    portnum: TEXT_MESSAGE_APP,
    text: '',
    replyId: 0,
    emoji: 0,
    wantAck: isDirect,
    pki: isDirect,
    source: null,
  };
}

/** A room nobody is in would keep its messages for a month. */
function checkRoom(room: string, { view, matrix }: PluginAccessOptions): void {
  if (view().settings.routes.some((route) => route.room === room) || matrix.room(room)?.joined === true) return;
  throw new RelayError('PLUGIN_ROOM', `${room} is neither a room of the configuration nor one the relay is in`);
}

/** Marked, so that no relay of the family takes it to a mesh. */
const MARK = { mmrelay_suppress: true } as const;

function roomEvent(output: RoomOutput): Pick<EventDelivery, 'type' | 'content' | 'media'> {
  if ('reaction' in output) {
    const relation = { rel_type: 'm.annotation', event_id: output.eventId, key: output.reaction };
    return { type: 'm.reaction', content: { ...MARK, 'm.relates_to': relation } };
  }
  if ('image' in output) return imageEvent(output);
  const notice: JsonObject = { msgtype: 'm.notice', body: output.text };
  if ('content' in output) return { type: 'm.room.message', content: { ...notice, ...output.content, ...MARK } };
  const html = output.markdown === true ? markdownToHtml(output.text) : null;
  return {
    type: 'm.room.message',
    content: {
      ...notice,
      ...(html === null ? {} : { format: 'org.matrix.custom.html', formatted_body: html }),
      ...(output.replyTo === undefined ? {} : { 'm.relates_to': { 'm.in_reply_to': { event_id: output.replyTo } } }),
      ...MARK,
    },
  };
}

function imageEvent({
  image,
  text,
}: {
  readonly image: Image;
  readonly text: string;
}): Pick<EventDelivery, 'type' | 'content' | 'media'> {
  const { data, mimeType, fileName, width, height } = image;
  const caption = text.trim();
  const content = {
    msgtype: 'm.image',
    body: caption === '' ? fileName : caption,
    filename: fileName,
    info: { mimetype: mimeType, size: data.length, w: width, h: height },
    ...MARK,
  };
  return {
    type: 'm.room.message',
    content,
    media: { base64: Buffer.from(data).toString('base64'), mimeType, fileName },
  };
}

function nodesOf(radio: RadioPort): NodeInfo[] {
  const own = radio.info()?.nodeNum ?? null;
  return [...radio.nodes().values()].map((node) => ({
    radio: radio.name,
    num: node.num,
    id: nodeId(node.num),
    longName: node.longName,
    shortName: node.shortName,
    hwModel: node.hwModel,
    role: node.role,
    lastHeardS: node.lastHeardS,
    snr: node.snr === 0 ? null : node.snr,
    hopsAway: node.hopsAway,
    viaMqtt: node.viaMqtt,
    own: node.num === own,
  }));
}

function collect<T>({ radios }: PluginAccessOptions, pick: (node: MeshNode) => T | null): ReadonlyMap<number, T> {
  const entries = [...radios.values()].flatMap((radio) =>
    [...radio.nodes().values()].map((node) => [node.num, pick(node)] as const),
  );
  return new Map(entries.filter((entry): entry is readonly [number, T & {}] => entry[1] !== null));
}
