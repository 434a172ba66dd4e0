import { MATRIX_VARIABLES, MESH_VARIABLES, MIN_MESSAGE_DELAY_MS, prefixError } from './checks.ts';
import { normalisePlugins } from './normalise-plugins.ts';
import { isPlaceholder } from './placeholders.ts';
import { DEFAULT_MATRIX_TO_MESH_PREFIX, DEFAULT_MESH_TO_MATRIX_PREFIX, durationMs } from './schema/key.ts';
import type { ParsedMatrix, ParsedRoom } from './schema/matrix.ts';
import type { ParsedRadio } from './schema/meshtastic.ts';
import type { ParsedConfig } from './schema/root.ts';
import type {
  DatabaseConfig,
  HealthConfig,
  ListenAddress,
  LoggingConfig,
  LogLevel,
  MatrixConfig,
  RadioConfig,
  RadioConnection,
  RelayConfig,
  RelayRulesConfig,
  RoomConfig,
} from './types.ts';

/** From the file's keys to ours. Only for files without errors. */
export function normalise(parsed: ParsedConfig): RelayConfig {
  const radios = [parsed.meshtastic].flat().map(radio);
  const matrixConfig = matrix(parsed.matrix);
  const config: RelayConfig = {
    matrix: matrixConfig,
    radios,
    rooms: Object.values(parsed.matrix_rooms)
      .filter(({ id }) => !isPlaceholder(id))
      .map((one) => room(one, { parsed, radios, matrix: matrixConfig }))
      .filter(isFirstOfItsKind),
    radioFailover: parsed.radios.failover,
    relay: relay(parsed.relay),
    directMessages: {
      mode: parsed.direct_messages.mode ?? (parsed.direct_messages.users.length > 0 ? 'rooms' : 'off'),
      users: parsed.direct_messages.users,
    },
    virtualNode: virtualNode(parsed.virtual_node, radios),
    logging: logging(parsed.logging),
    health: health(parsed.health),
    database: database(parsed.database),
    plugins: normalisePlugins(parsed),
    security: {
      communityRepoHosts: [parsed.security.community_repo_hosts].flat(),
      allowLocalPluginPaths: parsed.security.allow_local_plugin_paths,
      allowUntrustedDependencies: parsed.security.allow_untrusted_dependencies,
    },
  };
  return deepFreeze(config);
}

/** A room may stand with several channels; the same two again would show every message twice. */
function isFirstOfItsKind({ id, radio, channel }: RoomConfig, index: number, all: readonly RoomConfig[]): boolean {
  return all.findIndex((other) => other.id === id && other.radio === radio && other.channel === channel) === index;
}

function usablePrefix(
  template: string,
  options: { readonly variables: readonly string[]; readonly fallback: string },
): string {
  return prefixError(template, options.variables) === null ? template : options.fallback;
}

function matrix(parsed: ParsedMatrix): MatrixConfig {
  const { enabled, trust, store_path } = parsed.e2ee;
  const prefix = { variables: MATRIX_VARIABLES, fallback: DEFAULT_MESH_TO_MATRIX_PREFIX };
  return {
    homeserver: parsed.homeserver ?? null,
    botUserId: parsed.bot_user_id ?? null,
    password: parsed.password ?? null,
    accessToken: parsed.access_token ?? null,
    credentialsPath: parsed.credentials_path ?? null,
    e2ee: {
      enabled: enabled === 'auto' ? 'auto' : enabled ? 'on' : 'off',
      trust: trust === 'cross_signed' ? 'cross-signed' : 'all',
      storePath: store_path ?? null,
    },
    prefixFormat: parsed.prefix_enabled ? usablePrefix(parsed.prefix_format, prefix) : '',
    trustedRelays: parsed.trusted_relays,
    trustRoomRelays: parsed.trust_room_relays,
    admins: parsed.admins,
  };
}

function connection(parsed: ParsedRadio): RadioConnection {
  switch (parsed.connection_type) {
    case 'tcp':
      return { kind: 'tcp', host: (parsed.host ?? '').replace(/^\[(.*)\]$/, '$1'), port: parsed.port };
    case 'serial':
      return { kind: 'serial', path: parsed.serial_port ?? '' };
    case 'ble':
      return { kind: 'ble', address: parsed.ble_address ?? '' };
    case 'auto':
      return { kind: 'auto' };
    case 'mqtt':
      return { kind: 'mqtt', mqtt: mqtt(parsed.mqtt) };
  }
}

function mqtt(parsed: ParsedRadio['mqtt']) {
  return {
    host: parsed.host ?? '',
    port: parsed.port ?? (parsed.tls ? 8883 : 1883),
    tls: parsed.tls,
    caFile: parsed.ca_file ?? null,
    username: parsed.username ?? null,
    password: parsed.password ?? null,
    rootTopic: parsed.root_topic,
    nodeId: parsed.node_id === undefined ? null : paddedNodeId(parsed.node_id),
    longName: parsed.long_name,
    shortName: parsed.short_name,
    channels: parsed.channels,
  };
}

function paddedNodeId(text: string): string {
  return `!${text.slice(1).toLowerCase().padStart(8, '0')}`;
}

function radio(parsed: ParsedRadio): RadioConfig {
  const prefix = { variables: MESH_VARIABLES, fallback: DEFAULT_MATRIX_TO_MESH_PREFIX };
  return {
    name: parsed.name,
    connection: connection(parsed),
    meshnetName: parsed.meshnet_name,
    broadcastEnabled: parsed.broadcast_enabled,
    detectionSensor: parsed.detection_sensor,
    messageDelayMs:
      parsed.message_delay === undefined ? null : Math.max(MIN_MESSAGE_DELAY_MS, durationMs(parsed.message_delay)),
    reactions: parsed.message_interactions.reactions,
    replies: parsed.message_interactions.replies,
    chatPortnums: [parsed.packet_routing.chat_portnums].flat(),
    disabledPortnums: [parsed.packet_routing.disabled_portnums].flat(),
    encryptedAction: parsed.packet_routing.encrypted_action,
    prefixFormat: parsed.prefix_enabled ? usablePrefix(parsed.prefix_format, prefix) : '',
  };
}

function room(
  parsed: ParsedRoom,
  context: { readonly parsed: ParsedConfig; readonly radios: readonly RadioConfig[]; readonly matrix: MatrixConfig },
): RoomConfig {
  const own = context.radios.find((one) => one.name === parsed.radio) ?? context.radios[0];
  const meshPrefix = own?.prefixFormat ?? DEFAULT_MATRIX_TO_MESH_PREFIX;
  const matrixPrefix = context.matrix.prefixFormat;
  return {
    id: parsed.id,
    channel: parsed.meshtastic_channel,
    radio: own?.name ?? 'default',
    allow: parsed.allow,
    deny: parsed.deny,
    minPowerLevel: parsed.min_power_level ?? null,
    matrixPrefixFormat: usablePrefix(parsed.matrix_prefix_format ?? matrixPrefix, {
      variables: MATRIX_VARIABLES,
      fallback: matrixPrefix,
    }),
    meshPrefixFormat: usablePrefix(parsed.meshtastic_prefix_format ?? meshPrefix, {
      variables: MESH_VARIABLES,
      fallback: meshPrefix,
    }),
    positions: parsed.positions,
    notices: parsed.notices ?? context.parsed.relay.notices,
  };
}

function relay(parsed: ParsedConfig['relay']): RelayRulesConfig {
  return {
    longMessages: parsed.long_messages,
    maxParts: parsed.max_parts,
    deliveryStatus: parsed.delivery_status,
    maxAgeMs: durationMs(parsed.max_age),
    notices: parsed.notices,
    edits: parsed.edits,
    redactions: parsed.redactions,
    userRateLimit: { burst: parsed.user_rate_limit.burst, perMinute: parsed.user_rate_limit.per_minute },
    ignoredNodes: parsed.ignored_nodes.map(paddedNodeId),
  };
}

/** `host:port`, `:port`, `[::1]:port`. */
function listenAddress(text: string | undefined): ListenAddress | null {
  if (text === undefined) return null;
  const at = text.lastIndexOf(':');
  return { host: text.slice(0, at).replace(/^\[(.*)\]$/, '$1'), port: Number(text.slice(at + 1)) };
}

function virtualNode(parsed: ParsedConfig['virtual_node'], radios: readonly RadioConfig[]): RelayConfig['virtualNode'] {
  const listen = listenAddress(parsed.listen);
  if (listen === null) return null;
  return {
    listen,
    radio: parsed.radio ?? radios[0]?.name ?? 'default',
    allowAdmin: parsed.allow_admin === false ? [] : parsed.allow_admin,
    webClients: parsed.web_clients.map((origin) => origin.toLowerCase().replace(/\/$/, '')),
  };
}

const OLD_COMPONENTS = { matrix_nio: 'matrix', bleak: 'ble', meshtastic: 'radio' } as const;
const LEVEL_WORDS: Readonly<Record<string, LogLevel>> = {
  debug: 'debug',
  info: 'info',
  warn: 'warn',
  warning: 'warn',
  error: 'error',
  critical: 'error',
};

function logging(parsed: ParsedConfig['logging']): LoggingConfig {
  const levels: Record<string, LogLevel> = {};
  for (const [old, component] of Object.entries(OLD_COMPONENTS)) {
    const value = parsed.debug[old as keyof typeof OLD_COMPONENTS];
    // The old relay took a level name or anything true, which meant debug.
    if (value === undefined || value === false || value === '') continue;
    levels[component] = (typeof value === 'string' ? LEVEL_WORDS[value.trim().toLowerCase()] : undefined) ?? 'debug';
  }
  return {
    level: parsed.level,
    format: parsed.format,
    levels: { ...levels, ...parsed.levels },
    messageText: parsed.message_text,
    toFile: parsed.log_to_file,
    filename: parsed.filename ?? null,
    maxFileBytes: parsed.max_log_size,
    backupCount: parsed.backup_count,
    color: parsed.color_enabled,
  };
}

function health(parsed: ParsedConfig['health']): HealthConfig {
  return {
    listen: listenAddress(parsed.listen),
    readyRequires: parsed.ready_requires,
    readyFile: parsed.ready_file ?? null,
    readyHeartbeatMs: parsed.ready_heartbeat > 0 ? parsed.ready_heartbeat * 1000 : null,
  };
}

function database(parsed: ParsedConfig['database']): DatabaseConfig {
  return {
    path: parsed.path ?? null,
    wal: parsed.enable_wal,
    busyTimeoutMs: parsed.busy_timeout_ms,
    pragmas: parsed.pragmas,
    messagesToKeep: Math.max(0, parsed.msg_map.msgs_to_keep),
    wipeOnRestart: parsed.msg_map.wipe_on_restart,
  };
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const child of Object.values(value)) deepFreeze(child);
  return value;
}
