/** The configuration as the rest of the program sees it: checked, complete, frozen, with units in the names. */

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface RelayConfig {
  readonly matrix: MatrixConfig;
  readonly rooms: readonly RoomConfig[];
  /** At least one; the first is the default of rooms that name none. */
  readonly radios: readonly RadioConfig[];
  /** Send through another radio with the same channel when a room's own is down. */
  readonly radioFailover: boolean;
  readonly relay: RelayRulesConfig;
  readonly directMessages: DirectMessagesConfig;
  /** null: off. */
  readonly virtualNode: VirtualNodeConfig | null;
  readonly logging: LoggingConfig;
  readonly health: HealthConfig;
  readonly database: DatabaseConfig;
  readonly plugins: PluginSectionsConfig;
  readonly security: SecurityConfig;
}

export interface MatrixConfig {
  readonly homeserver: string | null;
  /** As written: localpart, `@local` or `@local:server`. */
  readonly botUserId: string | null;
  readonly password: string | null;
  readonly accessToken: string | null;
  /** As written, `~` not expanded: paths.ts does that. */
  readonly credentialsPath: string | null;
  readonly e2ee: {
    readonly enabled: 'on' | 'off' | 'auto';
    readonly trust: 'all' | 'cross-signed';
    readonly storePath: string | null;
  };
  /** Python format template; '' for none. */
  readonly prefixFormat: string;
  readonly trustedRelays: readonly string[];
  readonly trustRoomRelays: boolean;
  readonly admins: readonly string[];
}

export interface RoomConfig {
  /** `!id` or `#alias`. */
  readonly id: string;
  readonly channel: number;
  /** Name of a radio in `radios`. */
  readonly radio: string;
  /** MXIDs or `*:server`; empty: everybody. */
  readonly allow: readonly string[];
  readonly deny: readonly string[];
  readonly minPowerLevel: number | null;
  /** Mesh -> Matrix, '' for none; the general one already filled in. */
  readonly matrixPrefixFormat: string;
  /** Matrix -> mesh, '' for none; the general one already filled in. */
  readonly meshPrefixFormat: string;
  readonly positions: boolean;
  readonly notices: boolean;
}

export type RadioConnection =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'serial'; readonly path: string }
  | { readonly kind: 'ble'; readonly address: string }
  | { readonly kind: 'mqtt'; readonly mqtt: MqttConfig }
  | { readonly kind: 'auto' };

export interface MqttConfig {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** PEM; null for the authorities that the system trusts. */
  readonly caFile: string | null;
  readonly username: string | null;
  readonly password: string | null;
  readonly rootTopic: string;
  readonly nodeId: string | null;
  readonly longName: string;
  readonly shortName: string;
  /** By channel index; `psk` in base64. */
  readonly channels: readonly { readonly name: string; readonly psk: string }[];
}

export interface RadioConfig {
  readonly name: string;
  readonly connection: RadioConnection;
  /** '' when not configured: the radio's own facts name the mesh then. */
  readonly meshnetName: string;
  readonly broadcastEnabled: boolean;
  readonly detectionSensor: boolean;
  /** Least time between two packets; null: the radio's own pace (never under 2000). */
  readonly messageDelayMs: number | null;
  readonly reactions: boolean;
  readonly replies: boolean;
  readonly chatPortnums: readonly (string | number)[];
  readonly disabledPortnums: readonly (string | number)[];
  readonly encryptedAction: 'plugin_only' | 'drop';
  /** Matrix -> mesh; '' for none. */
  readonly prefixFormat: string;
}

export interface RelayRulesConfig {
  readonly longMessages: 'split' | 'truncate';
  readonly maxParts: number;
  readonly deliveryStatus: 'off' | 'failures' | 'reactions' | 'notices';
  readonly maxAgeMs: number;
  readonly notices: boolean;
  readonly edits: 'correction' | 'ignore';
  readonly redactions: 'ignore' | 'notice';
  readonly userRateLimit: { readonly burst: number; readonly perMinute: number };
  /** `!hex`, lower case, eight digits. */
  readonly ignoredNodes: readonly string[];
}

export interface DirectMessagesConfig {
  readonly mode: 'off' | 'rooms';
  readonly users: readonly string[];
}

/** `host` as written, '' or `*` for every address. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export interface VirtualNodeConfig {
  readonly listen: ListenAddress;
  readonly radio: string;
  /** Addresses whose clients may send admin messages; empty: nobody. */
  readonly allowAdmin: readonly string[];
  /** Origins of web pages that may use the radio from a browser, in lower case. */
  readonly webClients: readonly string[];
}

export interface LoggingConfig {
  readonly level: LogLevel;
  readonly format: 'auto' | 'pretty' | 'json';
  /** By component; the old `logging.debug` keys are mapped into it. */
  readonly levels: Readonly<Record<string, LogLevel>>;
  readonly messageText: boolean;
  readonly toFile: boolean;
  readonly filename: string | null;
  readonly maxFileBytes: number;
  readonly backupCount: number;
  readonly color: boolean;
}

export interface HealthConfig {
  readonly listen: ListenAddress | null;
  readonly readyRequires: 'auto' | 'any' | 'matrix' | 'radio' | 'both';
  readonly readyFile: string | null;
  /** null: written once, never touched. */
  readonly readyHeartbeatMs: number | null;
}

export interface DatabaseConfig {
  readonly path: string | null;
  readonly wal: boolean;
  readonly busyTimeoutMs: number;
  readonly pragmas: Readonly<Record<string, string | number | boolean>>;
  /** 0: keep all. */
  readonly messagesToKeep: number;
  readonly wipeOnRestart: boolean;
}

export interface PluginEntryConfig {
  readonly name: string;
  readonly active: boolean;
  /** null: all mapped channels. */
  readonly channels: readonly number[] | null;
  readonly priority: number | null;
  readonly requireBotMention: boolean;
  readonly schedule: {
    readonly at: string | null;
    readonly everyMs: number | null;
  } | null;
  /** Community plugins: where the code comes from. */
  readonly source: {
    readonly repository: string;
    readonly ref: { readonly kind: 'commit' | 'tag' | 'branch'; readonly name: string };
  } | null;
  /** The entry as written, for the plugin's own keys. */
  readonly settings: Readonly<Record<string, unknown>>;
}

export interface PluginSectionsConfig {
  readonly core: readonly PluginEntryConfig[];
  readonly community: readonly PluginEntryConfig[];
  readonly custom: readonly PluginEntryConfig[];
}

export interface SecurityConfig {
  readonly communityRepoHosts: readonly string[];
  readonly allowLocalPluginPaths: boolean;
  readonly allowUntrustedDependencies: boolean;
}
