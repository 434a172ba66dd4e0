import type {
  DeviceMetrics,
  Json,
  MeshOutput,
  MeshText,
  NodeInfo,
  Packet,
  PacketOutput,
  Plugin,
  Position,
  RelayEvent,
  RelayStatus,
  RoomMessage,
  RoomOutput,
} from '../api.ts';
import type { BotNames } from '../commands/room-command.ts';
import type { Job, Manifest } from '../protocol.ts';

/** What the host needs from the relay; app/ builds it. */
export interface RelayAccess {
  /** On disk when it returns. @throws RelayError */
  sendMesh(output: MeshOutput, plugin: string): void;
  sendPacket(output: PacketOutput, plugin: string): void;
  /** Uploads a picture first. @throws RelayError */
  sendRoom(output: RoomOutput, plugin: string): Promise<void>;
  nodes(): readonly NodeInfo[];
  ownNode(radio: string | null): number | null;
  positions(): ReadonlyMap<number, Position>;
  telemetry(): ReadonlyMap<number, DeviceMetrics>;
  status(): RelayStatus;
  /** `radio` null: the only one. @throws RelayError RADIO_* in plain words */
  releaseRadio(radio: string | null, forMs: number): Promise<{ readonly radio: string; readonly untilMs: number }>;
  claimRadio(radio: string | null): { readonly radio: string };
  rooms(): readonly { readonly room: string; readonly radio: string; readonly channel: number }[];
  /** How the bot is called in a room. */
  bot(roomId: string): BotNames;
  powerLevel(roomId: string, userId: string): number | null;
}

/** The part of the store that plugins write. */
export interface PluginStoreAccess {
  transaction<T>(work: () => T): T;
  readonly pluginData: {
    get(plugin: string, key: string): Json;
    set(plugin: string, key: string, value: Json, quotaBytes?: number): void;
    append(
      plugin: string,
      key: string,
      item: Json,
      limits: { readonly keepNewest: number; readonly quotaBytes?: number },
    ): void;
    delete(plugin: string, key: string): void;
    all(plugin: string): ReadonlyMap<string, Json>;
    usedBytes(plugin: string): number;
  };
}

/** A message as plugins see it; what they may not see is never made into one. */
export type InboundMessage =
  | { readonly kind: 'mesh'; readonly packet: Packet; readonly text: MeshText | null }
  | {
      readonly kind: 'room';
      readonly message: RoomMessage;
      readonly formattedBody: string | null;
      /** Too old to be acted upon: a command in it is neither run nor relayed. */
      readonly stale: boolean;
    };

/** Whose a relay's event is, nobody is asked: chat of another mesh is relayed, everything else is not. */
export type Inbound = InboundMessage | { readonly kind: 'relay'; readonly event: RelayEvent };

export type PluginTier = 'core' | 'community' | 'custom';

/** One plugin that is to run. */
export interface PluginSpec {
  readonly name: string;
  readonly tier: PluginTier;
  /** null: all mapped channels. */
  readonly channels: readonly number[] | null;
  /** null: the plugin's own. */
  readonly priority: number | null;
  readonly mentionRequired: boolean;
  readonly schedule: { readonly at: string | null; readonly everyMs: number | null } | null;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly dataFolder: string;
  readonly code:
    | { readonly kind: 'in-process'; readonly load: () => Promise<Plugin> }
    /** Resolves to the file to run; fetches it first when it has to. @throws RelayError PLUGIN_* in plain words */
    | {
        readonly kind: 'worker';
        readonly locate: () => Promise<string>;
        /** Differs once the code on the disk is another. */
        readonly stamp: () => string;
      };
}

/** For `!plugins`, doctor and the log. */
export interface PluginState {
  readonly name: string;
  readonly tier: PluginTier;
  readonly version: string | null;
  readonly status: 'loading' | 'active' | 'waiting' | 'broken' | 'failed' | 'stopped';
  /** Why it is not active; null when it is. */
  readonly reason: string | null;
  readonly restarts: number;
}

/** A running plugin, wherever it lives. `run` gives true when the message is the plugin's own. */
export interface PluginLink {
  start(): Promise<Manifest>;
  run(id: number, job: Job): Promise<boolean>;
  /** Ends it, within `graceMs`. */
  stop(graceMs: number): Promise<void>;
}
