import type { RadioConfig, RelayConfig, RoomConfig } from '../../config/types.ts';
import type { RadioSettings, RelaySettings, RoomRoute } from '../../relay/settings.ts';
import { parseNodeId } from '../../util/node-id.ts';
import { portName } from '../../util/portnums.ts';

const FIRMWARE_GAP_MS = 2_000;
/** A room takes messages of this age; they cost no air. */
const ROOM_MAX_AGE_MS = 30 * 24 * 3_600_000;

/** The part of the configuration that the relay's rules work by. */
export function relaySettings(config: RelayConfig): RelaySettings {
  return {
    routes: config.rooms.map(roomRoute),
    radios: new Map(config.radios.map((radio) => [radio.name, radioSettings(radio, config)])),
    radioFailover: config.radioFailover,
    roomPrefixFormat: config.matrix.prefixFormat,
    edits: config.relay.edits,
    redactions: config.relay.redactions,
    longMessages: config.relay.longMessages,
    maxParts: config.relay.maxParts,
    maxAgeMs: config.relay.maxAgeMs,
    roomMaxAgeMs: ROOM_MAX_AGE_MS,
    deliveryStatus: config.relay.deliveryStatus,
    trustedRelays: new Set(config.matrix.trustedRelays),
    trustRoomRelays: config.matrix.trustRoomRelays,
    directMessages: config.directMessages,
    userRate: config.relay.userRateLimit,
    keepLinks: config.database.messagesToKeep,
  };
}

function roomRoute(room: RoomConfig): RoomRoute {
  return {
    room: room.id,
    radio: room.radio,
    channel: room.channel,
    meshPrefix: room.meshPrefixFormat,
    roomPrefix: room.matrixPrefixFormat,
    allow: room.allow,
    deny: room.deny,
    minPowerLevel: room.minPowerLevel,
    locations: room.positions,
    relayNotices: room.notices,
  };
}

function radioSettings(radio: RadioConfig, config: RelayConfig): RadioSettings {
  const names = (ports: readonly (string | number)[]): ReadonlySet<string> =>
    new Set(ports.map((port) => (typeof port === 'number' ? portName(port) : port.trim())));
  const ignored = config.relay.ignoredNodes.map(parseNodeId).filter((num) => num !== null);
  return {
    name: radio.name,
    meshnetName: radio.meshnetName,
    broadcastEnabled: radio.broadcastEnabled,
    detectionSensor: radio.detectionSensor,
    prefixFormat: radio.prefixFormat,
    messageDelayMs: Math.max(radio.messageDelayMs ?? FIRMWARE_GAP_MS, FIRMWARE_GAP_MS),
    packetRouting: {
      chatPortnums: names(radio.chatPortnums),
      disabledPortnums: names(radio.disabledPortnums),
      encryptedAction: radio.encryptedAction,
    },
    ignoredNodes: new Set(ignored),
    replies: radio.replies,
    reactions: radio.reactions,
  };
}
