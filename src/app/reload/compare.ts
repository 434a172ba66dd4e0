import type { RadioConfig, RelayConfig, RoomConfig } from '../../config/types.ts';

export interface Change {
  /** Sections that take effect at once. */
  readonly applied: readonly string[];
  /** Keys that need a restart. */
  readonly restart: readonly string[];
}

/** What differs between two configurations, and what a running relay can take over. Pure. */
export function compareConfigs(before: RelayConfig, after: RelayConfig): Change {
  const applied: string[] = [];
  const restart: string[] = [];
  const look = (name: string, old: unknown, fresh: unknown, live: boolean): void => {
    if (JSON.stringify(old) !== JSON.stringify(fresh)) (live ? applied : restart).push(name);
  };
  const oldLog = before.logging;
  const newLog = after.logging;
  look('logging.level', [oldLog.level, oldLog.levels], [newLog.level, newLog.levels], true);
  look('logging', { ...oldLog, level: '', levels: {} }, { ...newLog, level: '', levels: {} }, false);
  look('relay', before.relay, after.relay, true);
  look('direct_messages', before.directMessages, after.directMessages, true);
  look('matrix_rooms', wherebouts(before.rooms), wherebouts(after.rooms), false);
  look('matrix_rooms', rules(before.rooms), rules(after.rooms), true);
  const live = (config: RelayConfig): unknown => {
    const { prefixFormat, trustedRelays, trustRoomRelays } = config.matrix;
    return [prefixFormat, trustedRelays, trustRoomRelays];
  };
  look('matrix', live(before), live(after), true);
  look('matrix', { ...before.matrix, ...LIVE_MATRIX }, { ...after.matrix, ...LIVE_MATRIX }, false);
  look('meshtastic', radioRules(before), radioRules(after), true);
  look('meshtastic', radioLinks(before), radioLinks(after), false);
  for (const name of ['health', 'database', 'plugins', 'security', 'virtualNode', 'radioFailover'] as const)
    look(name, before[name], after[name], false);
  return { applied: [...new Set(applied)], restart: [...new Set(restart)] };
}

const LIVE_MATRIX = { prefixFormat: '', trustedRelays: [], trustRoomRelays: false };

/** Which room hangs on which channel: lanes and joined rooms depend on it. */
function wherebouts(rooms: readonly RoomConfig[]): unknown {
  return rooms.map(({ id, radio, channel }) => [id, radio, channel]);
}

function rules(rooms: readonly RoomConfig[]): unknown {
  return rooms.map((room) => ({ ...room, radio: '', channel: 0 }));
}

function radioRules({ radios }: RelayConfig): unknown {
  return radios.map((radio) => ({ ...radio, ...LINK_KEYS }));
}

const LINK_KEYS = {
  connection: null,
  messageDelayMs: null,
  connectTimeoutMs: 0,
  pluginTimeoutMs: 0,
  healthCheck: null,
};

function radioLinks({ radios }: RelayConfig): unknown {
  return radios.map(({ name, connection, messageDelayMs, connectTimeoutMs, pluginTimeoutMs, healthCheck }) => {
    return [name, connection, messageDelayMs, connectTimeoutMs, pluginTimeoutMs, healthCheck];
  });
}

/** The running configuration with everything of the new one that can be taken over without a restart. Pure. */
export function takeOver(running: RelayConfig, next: RelayConfig): RelayConfig {
  const { prefixFormat, trustedRelays, trustRoomRelays } = next.matrix;
  const room = (old: RoomConfig): RoomConfig => {
    const fresh = next.rooms.find(({ id }) => id === old.id);
    return fresh === undefined ? old : { ...fresh, radio: old.radio, channel: old.channel };
  };
  const radio = (old: RadioConfig): RadioConfig => {
    const fresh = next.radios.find(({ name }) => name === old.name);
    if (fresh === undefined) return old;
    const { connection, messageDelayMs, connectTimeoutMs, pluginTimeoutMs, healthCheck } = old;
    return { ...fresh, connection, messageDelayMs, connectTimeoutMs, pluginTimeoutMs, healthCheck };
  };
  return {
    ...running,
    relay: next.relay,
    directMessages: next.directMessages,
    matrix: { ...running.matrix, prefixFormat, trustedRelays, trustRoomRelays },
    logging: { ...running.logging, level: next.logging.level, levels: next.logging.levels },
    rooms: running.rooms.map(room),
    radios: running.radios.map(radio),
  };
}
