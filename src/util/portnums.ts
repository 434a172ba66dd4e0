/** Port numbers of portnums.proto by name, as the old relay's configuration and custom keys spell them. */
const PORT_NAMES: Readonly<Record<number, string>> = {
  0: 'UNKNOWN_APP',
  1: 'TEXT_MESSAGE_APP',
  2: 'REMOTE_HARDWARE_APP',
  3: 'POSITION_APP',
  4: 'NODEINFO_APP',
  5: 'ROUTING_APP',
  6: 'ADMIN_APP',
  7: 'TEXT_MESSAGE_COMPRESSED_APP',
  8: 'WAYPOINT_APP',
  9: 'AUDIO_APP',
  10: 'DETECTION_SENSOR_APP',
  11: 'ALERT_APP',
  12: 'KEY_VERIFICATION_APP',
  32: 'REPLY_APP',
  33: 'IP_TUNNEL_APP',
  34: 'PAXCOUNTER_APP',
  64: 'SERIAL_APP',
  65: 'STORE_FORWARD_APP',
  66: 'RANGE_TEST_APP',
  67: 'TELEMETRY_APP',
  68: 'ZPS_APP',
  69: 'SIMULATOR_APP',
  70: 'TRACEROUTE_APP',
  71: 'NEIGHBORINFO_APP',
  72: 'ATAK_PLUGIN',
  73: 'MAP_REPORT_APP',
  74: 'POWERSTRESS_APP',
  76: 'RETICULUM_TUNNEL_APP',
  77: 'CAYENNE_APP',
  256: 'PRIVATE_APP',
  257: 'ATAK_FORWARDER',
  511: 'MAX',
};

export const TEXT_MESSAGE_APP = 1;
export const POSITION_APP = 3;
export const WAYPOINT_APP = 8;
export const DETECTION_SENSOR_APP = 10;

/** `TEXT_MESSAGE_APP` for 1; `UNKNOWN_300` for a number that has no name. */
export function portName(portnum: number): string {
  return PORT_NAMES[portnum] ?? `UNKNOWN_${portnum}`;
}

/** Every name of the list. */
export const PORTS: readonly string[] = Object.values(PORT_NAMES);

/** The number behind a name of the list; null when there is none. */
export function portNumber(name: string): number | null {
  const entry = Object.entries(PORT_NAMES).find(([, known]) => known === name);
  return entry === undefined ? null : Number(entry[0]);
}
