import { Channel, Mesh, Portnums } from '@meshtastic/protobufs';
import type {
  ClientNotification,
  LoraSettings,
  MeshNode,
  MeshPacket,
  QueueStatus,
  RadioChannel,
  RoutingResult,
} from '../../relay/ports.ts';
import { keyId } from './channel-key.ts';
import { loraSettings } from './lora.ts';
import { finite, meshNode } from './mesh-node.ts';
import { enumName, parseMessage } from './parse.ts';

/** What a radio can say to its client, as far as the relay cares. */
export type FromRadioMessage =
  | { readonly kind: 'packet'; readonly packet: MeshPacket }
  /** `bootCount` counts restarts where the board keeps count (ESP32), else 0. */
  | { readonly kind: 'my-info'; readonly nodeNum: number; readonly bootCount: number }
  | { readonly kind: 'node'; readonly node: MeshNode }
  | {
      readonly kind: 'metadata';
      readonly firmwareVersion: string | null;
      readonly hwModel: string;
      readonly hasPkc: boolean;
    }
  /** `borrowsKey`: a secondary channel without a key of its own uses the primary's (Channels::getKey). */
  | { readonly kind: 'channel'; readonly channel: RadioChannel; readonly borrowsKey: boolean }
  | { readonly kind: 'lora'; readonly lora: LoraSettings }
  | { readonly kind: 'power'; readonly isPowerSaving: boolean }
  | { readonly kind: 'config-complete'; readonly nonce: number }
  | { readonly kind: 'queue-status'; readonly status: QueueStatus }
  | { readonly kind: 'notification'; readonly notification: ClientNotification }
  | { readonly kind: 'rebooted' }
  | { readonly kind: 'log'; readonly level: string; readonly source: string; readonly message: string }
  | { readonly kind: 'other'; readonly name: string };

const NO_BYTES = new Uint8Array(0);

/** One FromRadio protobuf (without stream header); null when the bytes are none. Never throws. */
export function decodeFromRadio(bytes: Uint8Array): FromRadioMessage | null {
  const message = parseMessage(Mesh.FromRadioSchema, bytes);
  return message === null ? null : fromVariant(message.payloadVariant);
}

function fromVariant(variant: Mesh.FromRadio['payloadVariant']): FromRadioMessage {
  switch (variant.case) {
    case 'packet':
      return { kind: 'packet', packet: meshPacket(variant.value) };
    case 'myInfo':
      return { kind: 'my-info', nodeNum: variant.value.myNodeNum, bootCount: variant.value.rebootCount };
    case 'nodeInfo':
      return { kind: 'node', node: meshNode(variant.value) };
    case 'metadata':
      return {
        kind: 'metadata',
        firmwareVersion: variant.value.firmwareVersion || null,
        hwModel: enumName(Mesh.HardwareModel, variant.value.hwModel),
        hasPkc: variant.value.hasPKC,
      };
    case 'channel':
      return channelMessage(variant.value);
    case 'config':
      return fromConfig(variant.value.payloadVariant);
    case 'configCompleteId':
      return { kind: 'config-complete', nonce: variant.value };
    case 'queueStatus': {
      const { res, free, maxlen, meshPacketId } = variant.value;
      return { kind: 'queue-status', status: { res, free, maxlen, packetId: meshPacketId } };
    }
    case 'clientNotification': {
      const { level, replyId, message } = variant.value;
      const name = enumName(Mesh.LogRecord_Level, level);
      return { kind: 'notification', notification: { level: name, replyId: replyId ?? 0, message } };
    }
    case 'rebooted':
      return variant.value ? { kind: 'rebooted' } : { kind: 'other', name: 'rebooted' };
    case 'logRecord': {
      const { level, source, message } = variant.value;
      return { kind: 'log', level: enumName(Mesh.LogRecord_Level, level), source, message };
    }
    default:
      return { kind: 'other', name: variant.case ?? 'unknown' };
  }
}

type ConfigVariant = Extract<Mesh.FromRadio['payloadVariant'], { case: 'config' }>['value']['payloadVariant'];

function fromConfig(variant: ConfigVariant): FromRadioMessage {
  if (variant.case === 'lora') return { kind: 'lora', lora: loraSettings(variant.value) };
  if (variant.case === 'power') return { kind: 'power', isPowerSaving: variant.value.isPowerSaving };
  return { kind: 'other', name: `config ${variant.case ?? 'unknown'}` };
}

/** A packet in our words. */
export function meshPacket(packet: Mesh.MeshPacket): MeshPacket {
  const data = packet.payloadVariant.case === 'decoded' ? packet.payloadVariant.value : null;
  const ciphertext = packet.payloadVariant.case === 'encrypted' ? packet.payloadVariant.value : NO_BYTES;
  return {
    from: packet.from,
    to: packet.to,
    id: packet.id,
    channel: packet.channel,
    portnum: data?.portnum ?? 0,
    payload: data?.payload ?? ciphertext,
    encrypted: data === null,
    replyId: data?.replyId ?? 0,
    emoji: data?.emoji ?? 0,
    requestId: data?.requestId ?? 0,
    wantAck: packet.wantAck,
    wantResponse: data?.wantResponse ?? false,
    hopLimit: packet.hopLimit,
    hopStart: packet.hopStart,
    rxTimeS: packet.rxTime,
    rxSnr: finite(packet.rxSnr),
    rxRssi: packet.rxRssi,
    viaMqtt: packet.viaMqtt,
    pkiEncrypted: packet.pkiEncrypted,
  };
}

function channelMessage({ index, settings, role: number }: Channel.Channel): FromRadioMessage {
  const role = channelRole(number);
  const psk = settings?.psk ?? NO_BYTES;
  const channel = { index, name: settings?.name ?? '', role, keyId: keyId(psk) };
  return { kind: 'channel', channel, borrowsKey: role === 'secondary' && psk.length === 0 };
}

function channelRole(role: Channel.Channel_Role): RadioChannel['role'] {
  if (role === Channel.Channel_Role.PRIMARY) return 'primary';
  return role === Channel.Channel_Role.SECONDARY ? 'secondary' : 'disabled';
}

/**
 * What a ROUTING_APP packet says about the packet it answers; null for all other packets, and for route discovery.
 * No variant at all counts as NONE, as in the firmware's ReliableRouter.
 */
export function decodeRouting(packet: MeshPacket): RoutingResult | null {
  if (packet.encrypted || packet.portnum !== Portnums.PortNum.ROUTING_APP || packet.requestId === 0) return null;
  const routing = parseMessage(Mesh.RoutingSchema, packet.payload);
  if (routing === null) return null;
  const { variant } = routing;
  if (variant.case === 'routeRequest' || variant.case === 'routeReply') return null;
  const error = enumName(Mesh.Routing_Error, variant.case === 'errorReason' ? variant.value : Mesh.Routing_Error.NONE);
  return { packetId: packet.requestId, error, from: packet.from };
}
