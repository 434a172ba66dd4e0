/** What may cross, whatever the configuration says. */

export const DEFAULT_ROOM_PORTS = [
  'POSITION_APP',
  'NODEINFO_APP',
  'TELEMETRY_APP',
  'WAYPOINT_APP',
  'NEIGHBORINFO_APP',
] as const;

/** Texts are the relay's; the others give power over a node or are for two ends only. */
const NEVER_TO_ROOM = new Set([
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

/**
 * Ports whose payload says all by itself (portnums.proto). Position, names, telemetry and neighbours speak of their
 * sender: sent again by our node, they would give it the place and the name of another.
 */
const TO_MESH: Readonly<Record<string, number>> = {
  WAYPOINT_APP: 8,
  ATAK_PLUGIN: 72,
  PRIVATE_APP: 256,
  ATAK_FORWARDER: 257,
};

export function mayLeaveMesh(port: unknown): boolean {
  return typeof port === 'string' && !NEVER_TO_ROOM.has(port);
}

/** The number of a port that may be sent to a mesh; null for any other. */
export function meshPort(port: unknown): number | null {
  return typeof port === 'string' && Object.hasOwn(TO_MESH, port) ? (TO_MESH[port] ?? null) : null;
}
