import type {
  CommandCall,
  Json,
  MeshOutput,
  MeshText,
  Need,
  Packet,
  PacketOutput,
  RelayEvent,
  Reply,
  RoomMessage,
  RoomOutput,
} from './api.ts';

/** What crosses between a plugin's runtime and the host: plain data, because the two may live in different threads. */

/** What the host asks a plugin to do. */
export type Job =
  | { readonly kind: 'command'; readonly call: RawCall }
  | { readonly kind: 'mesh-text'; readonly message: MeshText }
  | { readonly kind: 'room-message'; readonly message: RoomMessage }
  | { readonly kind: 'packet'; readonly packet: Packet }
  | { readonly kind: 'relay-event'; readonly event: RelayEvent }
  | { readonly kind: 'schedule'; readonly index: number };

/** A command call whose arguments are not read yet. */
export type RawCall = Omit<CommandCall, 'args'>;

/** What a plugin asks of the host. `job` names the message that is answered. */
export type HostCall =
  | { readonly op: 'reply'; readonly job: number; readonly reply: Reply }
  | { readonly op: 'react'; readonly job: number; readonly emoji: string }
  | { readonly op: 'claim'; readonly job: number }
  | { readonly op: 'sendMesh'; readonly output: MeshOutput }
  | { readonly op: 'sendPacket'; readonly output: PacketOutput }
  | { readonly op: 'sendRoom'; readonly output: RoomOutput }
  /** Resolves a node argument of a command; needs no declared need. */
  | { readonly op: 'resolveNode'; readonly which: string }
  | { readonly op: 'nodes.list' }
  | { readonly op: 'nodes.find'; readonly which: number | string }
  | { readonly op: 'nodes.own'; readonly radio: string | null }
  | { readonly op: 'positions.all' }
  | { readonly op: 'positions.of'; readonly num: number }
  | { readonly op: 'telemetry.all' }
  | { readonly op: 'store.get'; readonly key: string }
  | { readonly op: 'store.set'; readonly key: string; readonly value: Json }
  | { readonly op: 'store.delete'; readonly key: string }
  | { readonly op: 'store.append'; readonly key: string; readonly item: Json; readonly keepNewest: number }
  | { readonly op: 'store.batch'; readonly changes: readonly StoreChange[] }
  | { readonly op: 'store.all' }
  | { readonly op: 'store.usedBytes' }
  | { readonly op: 'files.folder' }
  | { readonly op: 'status.get' }
  | { readonly op: 'radios.release'; readonly radio: string | null; readonly forMs: number }
  | { readonly op: 'radios.claim'; readonly radio: string | null }
  | { readonly op: 'plugins.commands' }
  | { readonly op: 'rooms.list' }
  | {
      readonly op: 'log';
      readonly level: 'debug' | 'info' | 'warn' | 'error';
      readonly message: string;
      readonly fields: Readonly<Record<string, unknown>>;
    };

export type StoreChange = { readonly set: string; readonly value: Json } | { readonly delete: string };

export type HostPort = (call: HostCall) => Promise<unknown>;

/** What a plugin says of itself once its configuration is known; no functions in it. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly needs: readonly Need[];
  readonly priority: number;
  readonly commands: readonly CommandFacts[];
  readonly schedule: readonly {
    readonly name: string;
    readonly every: string | number | null;
    readonly cron: string | null;
  }[];
  readonly handles: {
    readonly packet: boolean;
    readonly meshText: boolean;
    readonly roomMessage: boolean;
    readonly relayEvent: boolean;
  };
  readonly onlyListens: boolean;
  /** What was wrong with the configuration; the defaults were taken. */
  readonly warnings: readonly string[];
}

export interface CommandFacts {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly description: string;
  readonly help: string | null;
  readonly usage: string;
  readonly on: readonly ('room' | 'mesh')[];
  readonly admin: boolean;
  readonly anywhere: boolean;
  readonly cooldownMs: number | null;
}

/** What a runtime is told at its start. */
export interface RuntimeSetup {
  /** The plugin's entry of the configuration, as written. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly locale: string;
  readonly units: 'metric' | 'imperial';
  /** null: the machine's, looked up when the plugin asks. */
  readonly timeZone: string | null;
  readonly userAgent: string;
}

export interface HttpRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

export interface RawHttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export type HttpFetch = (request: HttpRequest) => Promise<RawHttpAnswer>;
