/** What plugins are given and give: the data half of the plugin API (api.ts passes it on to plugins). */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };

// ---------------------------------------------------------------- what arrives

/** A packet of the mesh, as a frozen copy. 0 or false stands for "not set", as in mesh.proto. */
export interface Packet {
  readonly radio: string;
  readonly from: number;
  /** `!a1b2c3d4` of the sender. */
  readonly fromId: string;
  readonly to: number;
  readonly id: number;
  readonly channel: number;
  readonly portnum: number;
  /** As `TEXT_MESSAGE_APP`; `ENCRYPTED` for a packet the radio could not read. */
  readonly portName: string;
  /** Data.payload, or the ciphertext of an encrypted packet. A copy of your own. */
  readonly payload: Uint8Array;
  readonly encrypted: boolean;
  readonly replyId: number;
  readonly emoji: number;
  readonly requestId: number;
  readonly wantResponse: boolean;
  readonly hopLimit: number;
  readonly hopStart: number;
  /** hopStart - hopLimit; null when the sender did not say. */
  readonly hops: number | null;
  /** Seconds since 1970 by the radio's clock; 0 when it has none. */
  readonly rxTimeS: number;
  readonly rxSnr: number;
  readonly rxRssi: number;
  readonly viaMqtt: boolean;
  /** Addressed to the relay's own node. */
  readonly direct: boolean;
  /** The payload read, for the kinds below; else null. */
  readonly decoded: Decoded | null;
}

export type Decoded =
  | { readonly kind: 'text'; readonly text: string }
  | ({ readonly kind: 'position' } & Position)
  | {
      readonly kind: 'telemetry';
      /** Seconds since 1970; 0 when the sender has no clock. */
      readonly timeS: number;
      readonly device: DeviceMetrics | null;
      readonly environment: EnvironmentMetrics | null;
    }
  | {
      readonly kind: 'traceroute';
      /** Nodes between, there and back, and the SNR in dB of each step (null: unknown). */
      readonly route: readonly number[];
      readonly snrTowards: readonly (number | null)[];
      readonly routeBack: readonly number[];
      readonly snrBack: readonly (number | null)[];
    };

export interface MeshAuthor {
  readonly num: number;
  readonly id: string;
  /** Never empty: `!a1b2c3d4` for a stranger. */
  readonly longName: string;
  readonly shortName: string;
}

/** A text of the mesh, on a channel or to the relay's own node. */
export interface MeshText {
  readonly text: string;
  readonly author: MeshAuthor;
  /** Name of the mesh network. */
  readonly meshnet: string;
  /** As it is shown in rooms: prefix and text. */
  readonly formatted: string;
  readonly packet: Packet;
}

/** A text of a room: never one of the relay itself, of another relay of the family, or a notice. */
export interface RoomMessage {
  /** Room as configured (id or alias). */
  readonly room: string;
  readonly roomId: string;
  readonly eventId: string;
  readonly sender: string;
  readonly senderName: string;
  /** Trimmed, without the quotation of a reply. */
  readonly text: string;
  readonly msgtype: string;
  /** Event it answers; null for none. */
  readonly replyTo: string | null;
  readonly timestampMs: number;
  /** Radio and channel of the room; null in a direct chat with the bot. */
  readonly radio: string | null;
  readonly channel: number | null;
  readonly encrypted: boolean;
}

/** What another relay put into a mapped room: a message of its mesh, or output of its plugins. */
export interface RelayEvent {
  /** Room as configured (id or alias). */
  readonly room: string;
  readonly eventId: string;
  /** The Matrix user of the other relay, for which the homeserver vouches; everything in `content` is only claimed. */
  readonly sender: string;
  readonly timestampMs: number;
  /** Radio and channel of the room. */
  readonly radio: string;
  readonly channel: number;
  readonly encrypted: boolean;
  /** Of the m.room.message, with the keys of the family (`meshtastic_…`). */
  readonly content: { readonly [key: string]: Json | undefined };
}

// ---------------------------------------------------------------- what goes out

export interface Image {
  readonly data: Uint8Array;
  /** As `image/png`. */
  readonly mimeType: string;
  readonly fileName: string;
  readonly width: number;
  readonly height: number;
}

/** An answer, on the side the message came from. */
export interface Reply {
  /** In a room beside an image: what a screen reader says. On the mesh: the answer, unless `short` is given. */
  readonly text: string;
  /** The text is Markdown: bold, italics, code, links, lists. Shown as written on the mesh. */
  readonly markdown?: boolean;
  /** On the mesh instead of `text`. */
  readonly short?: string;
  /** In a room. */
  readonly image?: Image;
  /** Mesh: answer to the sender alone, even on a channel. */
  readonly private?: boolean;
}

/** `node`, or a channel. One text is sent as at most `relay.max_parts` packets. */
export interface MeshOutput {
  readonly text: string;
  /** Default: the first radio. */
  readonly radio?: string;
  /** Number of a node: a direct message, encrypted to it where both sides can. */
  readonly to?: number;
  /** Default 0. */
  readonly channel?: number;
  /** Packet id this answers. */
  readonly replyId?: number;
  /** A reaction to `replyId`; the text is the emoji. */
  readonly emoji?: boolean;
}

/** A packet of another kind than text; only for plugins that need `sendPacket`. */
export interface PacketOutput {
  readonly radio?: string;
  readonly to: number;
  readonly channel?: number;
  readonly portnum: number;
  readonly payload: Uint8Array;
  readonly wantResponse?: boolean;
}

/** Sent as m.notice, marked so that no relay takes it to a mesh. `room` is an id or alias of the configuration. */
export type RoomOutput = { readonly room: string } & (
  | { readonly text: string; readonly markdown?: boolean; readonly replyTo?: string }
  | { readonly image: Image; readonly text: string }
  | { readonly reaction: string; readonly eventId: string }
  | { readonly text: string; readonly content: { readonly [key: string]: Json } }
);

// ---------------------------------------------------------------- needs
/** What `ctx.plugins` tells about a command. */
export interface CommandInfo {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly plugin: string;
  readonly description: string;
  readonly help: string | null;
  /** As `!map [zoom] [size]`. */
  readonly usage: string;
  readonly on: readonly ('room' | 'mesh')[];
  readonly admin: boolean;
}

export interface NodeInfo {
  readonly radio: string;
  readonly num: number;
  readonly id: string;
  /** null for a node that never told its name. */
  readonly longName: string | null;
  readonly shortName: string | null;
  readonly hwModel: string | null;
  readonly role: string | null;
  readonly lastHeardS: number;
  /** dB; null when unknown. */
  readonly snr: number | null;
  readonly hopsAway: number | null;
  readonly viaMqtt: boolean;
  readonly own: boolean;
}

export interface Position {
  readonly latitude: number;
  readonly longitude: number;
  readonly altitudeM: number | null;
  readonly timeS: number;
  /** 0 or 32: exact. */
  readonly precisionBits: number;
}

export interface DeviceMetrics {
  /** Percent; 101 for a node with external power. */
  readonly batteryLevel: number | null;
  readonly voltage: number | null;
  readonly channelUtilization: number | null;
  readonly airUtilTx: number | null;
  readonly uptimeS: number | null;
}

export interface EnvironmentMetrics {
  readonly temperatureC: number | null;
  readonly humidityPercent: number | null;
  readonly pressureHpa: number | null;
}

export interface RadioStatus {
  readonly name: string;
  readonly status: string;
  readonly reason: string | null;
  readonly sinceMs: number;
  /** The relay has let it go for somebody else until then; null while it has not. */
  readonly releasedUntilMs: number | null;
  readonly nodeNum: number | null;
  readonly firmwareVersion: string | null;
  readonly hwModel: string | null;
  readonly region: string | null;
  readonly modemPreset: string | null;
  readonly channels: readonly { readonly index: number; readonly name: string }[];
  readonly meshnet: string;
}

export interface RelayStatus {
  readonly version: string;
  readonly startedAtMs: number;
  readonly radios: readonly RadioStatus[];
  readonly matrix: {
    readonly status: string;
    readonly reason: string | null;
    readonly sinceMs: number;
    readonly userId: string | null;
  };
  /** Rows that wait, per destination: `room:<id>`, `radio:<name>`; `expectedMs` is a guess until the last has left. */
  readonly queues: readonly {
    readonly lane: string;
    readonly queued: number;
    readonly sent: number;
    readonly oldestMs: number | null;
    readonly expectedMs: number | null;
  }[];
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  text(): string;
  /** @throws SyntaxError when the body is not JSON */
  json(): Json;
}

export interface HttpOptions {
  readonly query?: Readonly<Record<string, string | number>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Default 10 s, at most 60 s; the whole request. */
  readonly timeoutMs?: number;
  /** Answers 200 from memory for this long. Default: no. */
  readonly cacheMs?: number;
  /** Default 2 MiB, at most 8 MiB. */
  readonly maxBytes?: number;
}

export interface PluginStore {
  get(key: string): Promise<Json>;
  set(key: string, value: Json): Promise<void>;
  delete(key: string): Promise<void>;
  /** Adds to the list under the key and keeps its newest items. */
  append(key: string, item: Json, keepNewest: number): Promise<void>;
  /** Read, change, write as one step; null deletes. Calls for one key run one after another. */
  update(key: string, change: (value: Json) => Json): Promise<Json>;
  /** All at once or, when one fails or the quota is exceeded, none. */
  batch(
    changes: readonly ({ readonly set: string; readonly value: Json } | { readonly delete: string })[],
  ): Promise<void>;
  all(): Promise<ReadonlyMap<string, Json>>;
  usedBytes(): Promise<number>;
}

/** What a plugin may ask for in `needs`; the context has these and no others. */
export interface Capabilities {
  /** Into the outbox, behind chat. On disk when it resolves. @throws when the plugin sends too much (code PLUGIN_RATE) */
  readonly sendMesh: (output: MeshOutput) => Promise<void>;
  readonly sendPacket: (output: PacketOutput) => Promise<void>;
  readonly sendRoom: (output: RoomOutput) => Promise<void>;
  readonly nodes: {
    list(): Promise<readonly NodeInfo[]>;
    /** By number, `!id`, long or short name (case does not matter); null for none. */
    find(which: number | string): Promise<NodeInfo | null>;
    /** Number of the relay's own node; null before the radio told it. */
    own(radio?: string): Promise<number | null>;
  };
  readonly positions: { all(): Promise<ReadonlyMap<number, Position>>; of(num: number): Promise<Position | null> };
  readonly telemetry: { all(): Promise<ReadonlyMap<number, DeviceMetrics>> };
  /** JSON values of this plugin (table plugin_data; rows of mmrelay 1.x are readable). */
  readonly store: PluginStore;
  /** Only https, only hosts of `httpHosts`. */
  readonly http: { get(url: string, options?: HttpOptions): Promise<HttpAnswer> };
  /** A folder of the plugin's own, for caches. Created when first asked for. */
  readonly files: { folder(): Promise<string> };
  readonly status: { get(): Promise<RelayStatus> };
  /** Lets a radio go for another program or phone, and takes it back. `radio` may be left out when there is one. */
  readonly radios: {
    /** 10 s to 7 days. @throws when there is no such radio */
    release(forMs: number, radio?: string): Promise<{ readonly radio: string; readonly untilMs: number }>;
    /** @throws when there is no such radio, or it is not released */
    claim(radio?: string): Promise<{ readonly radio: string }>;
  };
  readonly plugins: { commands(): Promise<readonly CommandInfo[]> };
  /** Rooms of the configuration with their radio and channel. */
  readonly rooms: {
    list(): Promise<readonly { readonly room: string; readonly radio: string; readonly channel: number }[]>;
  };
}

/** `relayEvents` gives no key of the context: it makes the handler `onRelayEvent` work. */
export type Need = keyof Capabilities | 'relayEvents';
