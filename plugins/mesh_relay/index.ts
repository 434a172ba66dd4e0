/**
 * Puts packets that are no text into the room of their channel, for other relays and for programs. Only ports of the
 * list; texts stay with the relay; what gives power over a node (admin, remote hardware) or is for the two ends only
 * never leaves.
 */

import { definePlugin, type Json } from '../../src/plugins/api.ts';
import { packetJson } from './packet-json.ts';

const DEFAULT_PORTS = ['POSITION_APP', 'NODEINFO_APP', 'TELEMETRY_APP', 'WAYPOINT_APP', 'NEIGHBORINFO_APP'] as const;
const NEVER = new Set([
  'UNKNOWN_APP',
  'ENCRYPTED',
  'TEXT_MESSAGE_APP',
  'TEXT_MESSAGE_COMPRESSED_APP',
  'DETECTION_SENSOR_APP',
  'REMOTE_HARDWARE_APP',
  'ROUTING_APP',
  'ADMIN_APP',
  'KEY_VERIFICATION_APP',
  'REMOTE_SHELL_APP',
  'STORE_FORWARD_APP',
  'STORE_FORWARD_PLUSPLUS_APP',
  'SERIAL_APP',
  'IP_TUNNEL_APP',
  'SIMULATOR_APP',
]);

// biome-ignore lint/style/noDefaultExport: a plugin is the default export of its file
export default definePlugin({
  name: 'mesh_relay',
  version: '2.0.0',
  api: 1,
  description: 'Put packets of the mesh that are no texts into their room, for other relays',
  configSchema: {
    ports: { type: 'list', default: DEFAULT_PORTS, description: 'Names of the ports to pass on' },
  },
  needs: ['rooms', 'sendRoom'],
  start(ctx) {
    const refused = ctx.config.ports.filter((port) => !passes(ctx.config.ports, port));
    if (refused.length > 0) ctx.logger.warn('Ports that are never passed on', { ports: refused.join(', ') });
  },
  async onMeshPacket(packet, ctx) {
    if (packet.direct || packet.encrypted || !passes(ctx.config.ports, packet.portName)) return;
    const rooms = await ctx.rooms.list();
    const target = rooms.find(({ radio, channel }) => radio === packet.radio && channel === packet.channel);
    if (target === undefined) return;
    await ctx.sendRoom({
      room: target.room,
      text: `Processed ${packet.portName} radio packet`,
      content: { mmrelay_suppress: true, meshtastic_packet: packetJson(packet) },
    });
  },
});

function passes(ports: readonly Json[], port: Json): boolean {
  return typeof port === 'string' && ports.includes(port) && !NEVER.has(port);
}
