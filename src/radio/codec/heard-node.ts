import { Mesh, Portnums, Telemetry } from '@meshtastic/protobufs';
import type { MeshNode, MeshPacket } from '../../relay/ports.ts';
import { deviceMetrics, nodePosition, userFields } from './mesh-node.ts';
import { parseMessage } from './parse.ts';

export interface HeardNode {
  readonly node: MeshNode;
  /** Names, position or metrics came with the packet; else only reception changed. */
  readonly isNews: boolean;
}

/** What one packet tells about the node that sent it, on top of what was known. */
export function heardNode(known: MeshNode | null, packet: MeshPacket): HeardNode {
  const news = packet.encrypted ? null : contentNews(packet);
  const hops = packet.hopStart > 0 && packet.hopStart >= packet.hopLimit ? packet.hopStart - packet.hopLimit : null;
  const node: MeshNode = {
    ...(known ?? blankNode(packet.from)),
    ...news,
    lastHeardS: Math.max(packet.rxTimeS, known?.lastHeardS ?? 0),
    snr: packet.rxSnr === 0 ? (known?.snr ?? 0) : packet.rxSnr,
    hopsAway: hops ?? known?.hopsAway ?? null,
    viaMqtt: packet.viaMqtt,
  };
  return { node, isNews: news !== null };
}

function contentNews(packet: MeshPacket): Partial<MeshNode> | null {
  switch (packet.portnum) {
    case Portnums.PortNum.NODEINFO_APP: {
      const user = parseMessage(Mesh.UserSchema, packet.payload);
      return user === null ? null : userFields(user);
    }
    case Portnums.PortNum.POSITION_APP: {
      const position = nodePosition(parseMessage(Mesh.PositionSchema, packet.payload) ?? undefined);
      return position === null ? null : { position };
    }
    case Portnums.PortNum.TELEMETRY_APP: {
      const variant = parseMessage(Telemetry.TelemetrySchema, packet.payload)?.variant;
      return variant?.case === 'deviceMetrics' ? { metrics: deviceMetrics(variant.value) } : null;
    }
    default:
      return null;
  }
}

function blankNode(num: number): MeshNode {
  return {
    num,
    longName: null,
    shortName: null,
    hwModel: null,
    role: null,
    publicKey: null,
    unmessagable: false,
    favorite: false,
    ignored: false,
    viaMqtt: false,
    lastHeardS: 0,
    snr: 0,
    hopsAway: null,
    position: null,
    metrics: null,
  };
}
