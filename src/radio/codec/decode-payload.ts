import { Mesh, Portnums, Telemetry } from '@meshtastic/protobufs';
import type { DeviceMetrics, MeshPacket, NodePosition } from '../../relay/ports.ts';
import { utf8Decode } from '../../util/utf8.ts';
import { deviceMetrics, finiteOrNull, nodePosition } from './mesh-node.ts';
import { parseMessage } from './parse.ts';

/** What is in a packet, for those who look at more than texts. */
export type PayloadFacts =
  | { readonly kind: 'text'; readonly text: string }
  | ({ readonly kind: 'position' } & NodePosition)
  | {
      readonly kind: 'telemetry';
      readonly timeS: number;
      readonly device: DeviceMetrics | null;
      readonly environment: {
        readonly temperatureC: number | null;
        readonly humidityPercent: number | null;
        readonly pressureHpa: number | null;
      } | null;
    }
  | {
      readonly kind: 'traceroute';
      readonly route: readonly number[];
      readonly snrTowards: readonly (number | null)[];
      readonly routeBack: readonly number[];
      readonly snrBack: readonly (number | null)[];
    };

/** Reads the payload of the kinds above; null for others, for ciphertext and for noise. */
export function decodePayload(packet: MeshPacket): PayloadFacts | null {
  if (packet.encrypted) return null;
  switch (packet.portnum) {
    case Portnums.PortNum.TEXT_MESSAGE_APP:
      return { kind: 'text', text: utf8Decode(packet.payload) };
    case Portnums.PortNum.POSITION_APP: {
      const position = nodePosition(parseMessage(Mesh.PositionSchema, packet.payload) ?? undefined);
      return position === null ? null : { kind: 'position', ...position };
    }
    case Portnums.PortNum.TELEMETRY_APP:
      return telemetry(packet.payload);
    case Portnums.PortNum.TRACEROUTE_APP:
      return traceroute(packet.payload);
    default:
      return null;
  }
}

function telemetry(payload: Uint8Array): PayloadFacts | null {
  const message = parseMessage(Telemetry.TelemetrySchema, payload);
  if (message === null) return null;
  const { variant } = message;
  const device = variant.case === 'deviceMetrics' ? deviceMetrics(variant.value) : null;
  const environment =
    variant.case === 'environmentMetrics'
      ? {
          temperatureC: finiteOrNull(variant.value.temperature),
          humidityPercent: finiteOrNull(variant.value.relativeHumidity),
          pressureHpa: finiteOrNull(variant.value.barometricPressure),
        }
      : null;
  return { kind: 'telemetry', timeS: message.time, device, environment };
}

/** SNR travels in quarters of a decibel; -128 says "unknown" (mesh.proto, RouteDiscovery). */
function traceroute(payload: Uint8Array): PayloadFacts | null {
  const message = parseMessage(Mesh.RouteDiscoverySchema, payload);
  if (message === null) return null;
  const snr = (values: readonly number[]): (number | null)[] =>
    values.map((value) => (value === -128 ? null : value / 4));
  return {
    kind: 'traceroute',
    route: message.route,
    snrTowards: snr(message.snrTowards),
    routeBack: message.routeBack,
    snrBack: snr(message.snrBack),
  };
}
