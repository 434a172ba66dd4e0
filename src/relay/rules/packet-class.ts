import { DETECTION_SENSOR_APP, portName, TEXT_MESSAGE_APP } from '../../util/portnums.ts';
import type { MeshPacket } from '../ports.ts';
import type { RadioSettings } from '../settings.ts';

export type PacketClass = 'relay' | 'plugin_only' | 'drop';

/** Which packets become messages. Order and names as in the old relay's `packet_routing` (spec 02 section 2.2). */
export function classifyPacket(packet: MeshPacket, radio: RadioSettings): PacketClass {
  const routing = radio.packetRouting;
  if (packet.encrypted) return routing.encryptedAction;
  const name = portName(packet.portnum);
  if (routing.disabledPortnums.has(name)) return 'drop';
  if (packet.portnum === DETECTION_SENSOR_APP) return radio.detectionSensor ? 'relay' : 'plugin_only';
  if (routing.chatPortnums.has(name) || packet.portnum === TEXT_MESSAGE_APP) return 'relay';
  return 'plugin_only';
}
