import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { Mesh, Portnums, Telemetry } from '@meshtastic/protobufs';
import type { MeshPacket } from '../../relay/ports.ts';
import { parseMessage } from './parse.ts';

/** Where a frame of the configuration belongs: the groups come in the order of the firmware (PhoneAPI::getFromRadio). */
export interface ConfigSlot {
  readonly group: 'my-info' | 'ui' | 'metadata' | 'channel' | 'config' | 'module' | 'file';
  /** Of two frames with the same group and key the newer counts; '' for a frame without content. */
  readonly key: string;
}

/** The place of a FromRadio in the configuration; null for all that is none of it, and for nodes. */
export function configSlot(payload: Uint8Array): ConfigSlot | null {
  const variant = parseMessage(Mesh.FromRadioSchema, payload)?.payloadVariant;
  switch (variant?.case) {
    case 'myInfo':
      return { group: 'my-info', key: 'it' };
    case 'deviceuiConfig':
      return { group: 'ui', key: 'it' };
    case 'metadata':
      return { group: 'metadata', key: 'it' };
    case 'channel':
      return { group: 'channel', key: String(variant.value.index) };
    case 'config':
      return { group: 'config', key: variant.value.payloadVariant.case ?? '' };
    case 'moduleConfig':
      return { group: 'module', key: variant.value.payloadVariant.case ?? '' };
    case 'fileInfo':
      return { group: 'file', key: variant.value.fileName };
    default:
      return null;
  }
}

/**
 * The FromRadio.node_info of a node after one more packet of it, so that a client that comes later knows what a client
 * that was there has learnt. Fields we do not know are kept. @param known its frame so far; null for a new node
 */
export function nodeFrameAfter(known: Uint8Array | null, packet: MeshPacket): Uint8Array {
  const variant = known === null ? null : parseMessage(Mesh.FromRadioSchema, known)?.payloadVariant;
  const node = variant?.case === 'nodeInfo' ? variant.value : create(Mesh.NodeInfoSchema, { num: packet.from });
  if (packet.rxTimeS > node.lastHeard) node.lastHeard = packet.rxTimeS;
  if (packet.rxSnr !== 0) node.snr = packet.rxSnr;
  if (packet.hopStart > 0 && packet.hopStart >= packet.hopLimit) node.hopsAway = packet.hopStart - packet.hopLimit;
  node.viaMqtt = packet.viaMqtt;
  if (!packet.encrypted) addContent(node, packet);
  const value = { payloadVariant: { case: 'nodeInfo', value: node } } as const;
  return toBinary(Mesh.FromRadioSchema, create(Mesh.FromRadioSchema, value));
}

function addContent(node: Mesh.NodeInfo, { portnum, payload }: MeshPacket): void {
  if (portnum === Portnums.PortNum.NODEINFO_APP) {
    node.user = parseMessage(Mesh.UserSchema, payload) ?? node.user;
  } else if (portnum === Portnums.PortNum.POSITION_APP) {
    node.position = parseMessage(Mesh.PositionSchema, payload) ?? node.position;
  } else if (portnum === Portnums.PortNum.TELEMETRY_APP) {
    const variant = parseMessage(Telemetry.TelemetrySchema, payload)?.variant;
    if (variant?.case === 'deviceMetrics') node.deviceMetrics = variant.value;
  }
}

/** A FromRadio.my_info that counts as many nodes: apps show by it how much of the list is still to come. */
export function withNodeCount(frame: Uint8Array, nodedbCount: number): Uint8Array {
  const variant = parseMessage(Mesh.FromRadioSchema, frame)?.payloadVariant;
  if (variant?.case !== 'myInfo') return frame;
  const value = { payloadVariant: { case: 'myInfo', value: { ...variant.value, nodedbCount } } } as const;
  return toBinary(Mesh.FromRadioSchema, create(Mesh.FromRadioSchema, value));
}

/**
 * A FromRadio of the configuration without what makes its reader the node: with the private key of a radio one reads
 * its direct messages and gives orders to the nodes that trust it.
 */
export function withoutPrivateKey(frame: Uint8Array): Uint8Array {
  const message = parseMessage(Mesh.FromRadioSchema, frame);
  const config = message?.payloadVariant.case === 'config' ? message.payloadVariant.value.payloadVariant : null;
  if (message === null || config?.case !== 'security') return frame;
  config.value.privateKey = new Uint8Array(0);
  return toBinary(Mesh.FromRadioSchema, message);
}

/** The ToRadio of a client with this packet id put in, for clients that leave the choice to the radio. */
export function withPacketId(toRadio: Uint8Array, id: number): Uint8Array {
  const message = fromBinary(Mesh.ToRadioSchema, toRadio);
  if (message.payloadVariant.case === 'packet') message.payloadVariant.value.id = id;
  return toBinary(Mesh.ToRadioSchema, message);
}

/** A packet given to the radio (ToRadio) as the FromRadio in which others see it: sent by `from`, at `timeS`. */
export function sentPacketFrame(toRadio: Uint8Array, from: number, timeS: number): Uint8Array | null {
  const { payloadVariant } = fromBinary(Mesh.ToRadioSchema, toRadio);
  if (payloadVariant.case !== 'packet') return null;
  const packet = payloadVariant.value;
  packet.from = from;
  packet.rxTime = timeS;
  const value = { payloadVariant: { case: 'packet', value: packet } } as const;
  return toBinary(Mesh.FromRadioSchema, create(Mesh.FromRadioSchema, value));
}
