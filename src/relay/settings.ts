/** The part of the configuration that the relay decides by, already validated and frozen. */

export interface RoomRoute {
  /** Room id or alias, as configured: it names the lane, so that rows outlive an alias that moves. */
  readonly room: string;
  readonly radio: string;
  readonly channel: number;
  /** Overrides of the prefixes for this room; null takes the general one. */
  readonly meshPrefix: string | null;
  readonly roomPrefix: string | null;
  readonly allow: readonly string[];
  readonly deny: readonly string[];
  readonly minPowerLevel: number | null;
  /** Show positions and waypoints of this channel as m.location. */
  readonly locations: boolean;
  /** Send m.notice to the mesh as well. */
  readonly relayNotices: boolean;
}

export interface PacketRouting {
  readonly chatPortnums: ReadonlySet<string>;
  readonly disabledPortnums: ReadonlySet<string>;
  readonly encryptedAction: 'plugin_only' | 'drop';
}

export interface RadioSettings {
  readonly name: string;
  /** '' takes the name from the radio. */
  readonly meshnetName: string;
  readonly broadcastEnabled: boolean;
  readonly detectionSensor: boolean;
  /** Python format of the prefix on the mesh; empty for none. */
  readonly prefixFormat: string;
  /** Least time between two texts; never below the firmware's 2 s. */
  readonly messageDelayMs: number;
  readonly packetRouting: PacketRouting;
  readonly ignoredNodes: ReadonlySet<number>;
  readonly replies: boolean;
  readonly reactions: boolean;
}

export type DeliveryStatusMode = 'off' | 'failures' | 'reactions' | 'notices';

export interface DirectMessageSettings {
  readonly mode: 'off' | 'rooms';
  /** Matrix users who may talk for the node. */
  readonly users: readonly string[];
}

export interface RelaySettings {
  readonly routes: readonly RoomRoute[];
  readonly radios: ReadonlyMap<string, RadioSettings>;
  /** Radios on the same channel stand in for each other, both ways. Default: no. */
  readonly radioFailover?: boolean;
  /** Python format of the prefix in rooms; empty for none. */
  readonly roomPrefixFormat: string;
  readonly edits: 'correction' | 'ignore';
  readonly redactions: 'notice' | 'ignore';
  readonly longMessages: 'split' | 'truncate';
  readonly maxParts: number;
  readonly maxAgeMs: number;
  readonly roomMaxAgeMs: number;
  readonly deliveryStatus: DeliveryStatusMode;
  readonly trustedRelays: ReadonlySet<string>;
  readonly trustRoomRelays: boolean;
  readonly directMessages: DirectMessageSettings;
  /** Texts a Matrix user may send per minute on average, and how many at once. */
  readonly userRate: { readonly perMinute: number; readonly burst: number };
  /** Rows of the message map that are kept whatever their age. */
  readonly keepLinks: number;
}

/** How long a (sender, packet id) or an event id is remembered. Firmware has brought packets back after 34 minutes; a week costs little. */
export const DEDUP_WINDOW_MS = 7 * 24 * 3_600_000;
