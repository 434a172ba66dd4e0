import * as z from 'zod';
import { SAMPLE_MESHNET } from '../placeholders.ts';
import { DEFAULT_MATRIX_TO_MESH_PREFIX, DURATION_EXPECTED, duration, key } from './key.ts';

const port = z.number().int().min(1).max(65_535);
const portnums = z.union([z.string(), z.number().int(), z.array(z.union([z.string(), z.number().int()]))]);
const NODE_ID = /^![0-9a-f]{1,8}$/i;

const mqttChannel = z.object({
  name: key(z.string().min(1), { doc: 'Channel name, as on the radios.', sample: 'LongFast' }),
  psk: key(z.string().default('AQ=='), { doc: 'Channel key in base64; AQ== is the well-known default.', secret: true }),
});

const mqtt = key(
  z
    .object({
      host: key(z.string().min(1).optional(), { doc: 'Broker.', example: 'mqtt.example.org' }),
      port: key(port.optional(), { doc: '1883, or 8883 with tls.', example: 1883 }),
      tls: key(z.boolean().default(false), { doc: 'Encrypt the connection to the broker.' }),
      ca_file: key(z.string().min(1).optional(), {
        doc: 'With tls: the certificate of a broker, or of its authority, that the system does not know (PEM).',
        example: '/etc/mosquitto/certs/ca.crt',
      }),
      username: key(z.string().optional(), { doc: 'User on the broker.', example: 'meshdev' }),
      password: key(z.string().optional(), { doc: 'Password on the broker.', secret: true }),
      password_file: key(z.string().min(1).optional(), {
        doc: 'File that holds the password.',
        example: '/run/secrets/mqtt-password',
      }),
      root_topic: key(z.string().min(1).default('msh'), {
        doc: 'Topic in front of 2/e/<channel>/<node>, as msh/EU_868.',
      }),
      node_id: key(z.string().regex(NODE_ID).optional(), {
        doc: 'Our own node id on that mesh; made once and kept when left out.',
        example: '!a1b2c3d4',
        expected: 'a node id such as !a1b2c3d4',
      }),
      long_name: key(z.string().max(39).default('Matrix relay'), { doc: 'Our own name on that mesh.' }),
      short_name: key(z.string().max(4).default('MTX'), { doc: 'Our own short name.' }),
      channels: key(z.array(mqttChannel).default([]), {
        doc: 'Channels by index: the first is 0.',
        example: [{ name: 'LongFast', psk: 'AQ==' }],
      }),
    })
    .prefault({}),
  { doc: 'Settings of connection_type mqtt.' },
);

/** A key of the Python relay for what this one does in its own way, whatever the value. */
function ofOldFiles(now: string) {
  return key(z.unknown().optional(), { doc: `Kept for old files: ${now}.`, instead: 'leave it out' });
}

const WATCHED = 'every link is watched, see RADIOS.md';

const interactions = key(
  z
    .object({
      reactions: key(z.boolean().default(true), { doc: 'Relay reactions (tapbacks).', tolerant: true }),
      replies: key(z.boolean().default(true), { doc: 'Relay replies as replies.', tolerant: true }),
    })
    .prefault({}),
  { doc: 'Replies and reactions, native on both sides.', tolerant: true },
);

const packetRouting = key(
  z
    .object({
      chat_portnums: key(portnums.default([]), {
        doc: 'Further port numbers or names whose payload is relayed as text.',
        tolerant: true,
      }),
      disabled_portnums: key(portnums.default([]), {
        doc: 'Port numbers or names that are dropped; plugins do not see them either.',
        tolerant: true,
      }),
      encrypted_action: key(z.enum(['plugin_only', 'drop']).default('plugin_only'), {
        doc: 'Packets the radio could not decrypt.',
        tolerant: true,
      }),
    })
    .prefault({}),
  { doc: 'What becomes of packets by port number.', tolerant: true },
);

/** One radio: `meshtastic:` itself, or one entry of its list. */
export const radioSchema = z.object({
  name: key(
    z
      .string()
      .regex(/^[A-Za-z0-9._-]{1,32}$/)
      .default('default'),
    {
      doc: 'Name of the radio; rooms refer to it when there are several.',
      expected: 'letters, digits, dot, dash or underscore, at most 32',
    },
  ),
  connection_type: key(z.enum(['tcp', 'serial', 'ble', 'mqtt', 'auto']), {
    doc: 'How the radio is reached: tcp (network), serial (USB), ble (Bluetooth), mqtt (through a broker), or auto to pick the only one found.',
    env: 'MMRELAY_MESHTASTIC_CONNECTION_TYPE',
    sample: 'tcp',
  }),
  host: key(z.string().trim().min(1).optional(), {
    doc: 'tcp: address of the radio.',
    env: 'MMRELAY_MESHTASTIC_HOST',
    sample: 'meshtastic.local',
    placeholder: true,
  }),
  port: key(port.default(4403), {
    doc: 'tcp: port of the radio.',
    env: 'MMRELAY_MESHTASTIC_PORT',
    tolerant: true,
    expected: 'a port from 1 to 65535',
  }),
  serial_port: key(z.string().trim().min(1).optional(), {
    doc: 'serial: the device. A name under /dev/serial/by-id survives replugging.',
    env: 'MMRELAY_MESHTASTIC_SERIAL_PORT',
    example: '/dev/ttyUSB0',
  }),
  ble_address: key(z.string().trim().min(1).optional(), {
    doc: 'ble: address or name of the radio.',
    env: 'MMRELAY_MESHTASTIC_BLE_ADDRESS',
    example: 'AA:BB:CC:DD:EE:FF',
  }),
  mqtt,
  meshnet_name: key(z.string().default(''), {
    doc: 'Name of your mesh, shown in Matrix and told to other relays. Left out, it is the name of the primary channel or of the relay node.',
    env: 'MMRELAY_MESHTASTIC_MESHNET_NAME',
    sample: SAMPLE_MESHNET,
    placeholder: true,
  }),
  broadcast_enabled: key(z.boolean().default(true), {
    doc: 'Send Matrix messages to the mesh. false: the mesh is only listened to.',
    env: 'MMRELAY_MESHTASTIC_BROADCAST_ENABLED',
  }),
  detection_sensor: key(z.boolean().default(true), { doc: 'Relay texts of detection sensors.' }),
  message_delay: key(duration().optional(), {
    doc: 'Least time between two packets we send, 2 s at least (the firmware drops faster ones). Left out, the pace follows the radio.',
    env: 'MMRELAY_MESHTASTIC_MESSAGE_DELAY',
    example: 2.5,
    expected: `${DURATION_EXPECTED}, 2 seconds or more`,
  }),
  nodedb_refresh_interval: key(duration().default(15), {
    doc: 'Kept for old files: names are now taken over as they arrive.',
    env: 'MMRELAY_MESHTASTIC_NODEDB_REFRESH_INTERVAL',
    tolerant: true,
    instead: 'leave it out',
    expected: DURATION_EXPECTED,
  }),
  timeout: ofOldFiles('each step of connecting has its own limit'),
  retries: ofOldFiles('the relay never gives up on a radio'),
  plugin_timeout: ofOldFiles('plugins have limits of their own, see PLUGINS.md'),
  health_check: ofOldFiles(WATCHED),
  heartbeat_interval: ofOldFiles(WATCHED),
  message_interactions: interactions,
  packet_routing: packetRouting,
  prefix_enabled: key(z.boolean().default(true), { doc: 'Put a prefix in front of Matrix messages sent to the mesh.' }),
  prefix_format: key(z.string().default(DEFAULT_MATRIX_TO_MESH_PREFIX), {
    doc: 'That prefix. Variables: {display} {display1}..{display20} {user} {username} {server}.',
  }),
});

export type ParsedRadio = z.infer<typeof radioSchema>;
