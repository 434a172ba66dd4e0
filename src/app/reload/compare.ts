import type { RadioConfig, RelayConfig, RoomConfig } from '../../config/types.ts';

export interface Change {
  /** What takes effect at once. */
  readonly applied: readonly string[];
  /** What needs a restart. */
  readonly restart: readonly string[];
}

/** Parts of the configuration as a person calls them; what is taken over together stands together. */
const PARTS: readonly (readonly [string, (config: RelayConfig) => unknown])[] = [
  ['matrix: account, e2ee', ({ matrix }) => ({ ...matrix, ...liveMatrix(null) })],
  ['matrix', ({ matrix }) => liveMatrix(matrix)],
  ['matrix_rooms', ({ rooms }) => rooms],
  ['meshtastic: connection, message_delay', ({ radios }) => radios.map(linkOf)],
  ['meshtastic', ({ radios }) => radios.map((radio) => ({ ...radio, ...NO_LINK }))],
  ['relay', ({ relay }) => relay],
  ['direct_messages', ({ directMessages }) => directMessages],
  ['plugins', ({ plugins }) => plugins],
  ['logging.level', ({ logging }) => [logging.level, logging.levels]],
  ['logging: format, file', ({ logging }) => ({ ...logging, level: '', levels: {} })],
  ['virtual_node', ({ virtualNode }) => virtualNode],
  ['radios.failover', ({ radioFailover }) => radioFailover],
  ['health', ({ health }) => health],
  ['database', ({ database }) => database],
  ['security', ({ security }) => security],
];

const NO_LINK = {
  connection: null,
  messageDelayMs: null,
};

/** What a radio adapter is built with. */
function linkOf({ name, connection, messageDelayMs }: RadioConfig) {
  return { name, connection, messageDelayMs };
}

function liveMatrix(matrix: RelayConfig['matrix'] | null) {
  const { prefixFormat = '', trustedRelays = [], trustRoomRelays = false, admins = [] } = matrix ?? {};
  return { prefixFormat, trustedRelays, trustRoomRelays, admins };
}

/** What differs between two configurations, and what a running relay can take over. Pure. */
export function compareConfigs(running: RelayConfig, next: RelayConfig): Change {
  const taken = takeOver(running, next);
  const differing = (a: RelayConfig, b: RelayConfig): string[] =>
    PARTS.filter(([, part]) => JSON.stringify(part(a)) !== JSON.stringify(part(b))).map(([name]) => name);
  return { applied: differing(running, taken), restart: differing(taken, next) };
}

/** The running configuration with everything of the new one that can be taken over without a restart. Pure. */
export function takeOver(running: RelayConfig, next: RelayConfig): RelayConfig {
  const radio = (old: RadioConfig): RadioConfig => {
    const fresh = next.radios.find(({ name }) => name === old.name);
    return fresh === undefined ? old : { ...fresh, ...linkOf(old) };
  };
  // A room of a radio that does not run yet stays as it was until the restart, or waits for it.
  const room = (fresh: RoomConfig): readonly RoomConfig[] =>
    running.radios.some(({ name }) => name === fresh.radio)
      ? [fresh]
      : running.rooms.filter(({ id }) => id === fresh.id);
  return {
    ...running,
    relay: next.relay,
    directMessages: next.directMessages,
    plugins: next.plugins,
    matrix: { ...running.matrix, ...liveMatrix(next.matrix) },
    logging: { ...running.logging, level: next.logging.level, levels: next.logging.levels },
    rooms: next.rooms.flatMap(room),
    radios: running.radios.map(radio),
  };
}
