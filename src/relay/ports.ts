/**
 * What the relay needs from the outside, as types only. The adapters (radio, matrix, store) implement these and may
 * import nothing else of the relay. Numbers from the mesh are unsigned 32-bit unless a name says otherwise.

 * The store's half is in store-port.ts.
 */

import type { JsonObject } from '../util/json.ts';

// ---------------------------------------------------------------- mesh

/** A packet the radio handed to us. Field names follow mesh.proto (MeshPacket, Data); 0 or false stands for "not set". */
export interface MeshPacket {
  readonly from: number;
  readonly to: number;
  readonly id: number;
  readonly channel: number;
  /** PortNum of the decoded data; 0 while `encrypted`. */
  readonly portnum: number;
  /** Data.payload, or the ciphertext when `encrypted`. */
  readonly payload: Uint8Array;
  /** The radio could not decrypt it. */
  readonly encrypted: boolean;
  readonly replyId: number;
  /** Data.emoji: 1 marks a tapback. */
  readonly emoji: number;
  readonly requestId: number;
  readonly wantAck: boolean;
  readonly wantResponse: boolean;
  readonly hopLimit: number;
  readonly hopStart: number;
  /** Seconds since 1970 by the radio's clock; 0 when it has none. */
  readonly rxTimeS: number;
  readonly rxSnr: number;
  readonly rxRssi: number;
  readonly viaMqtt: boolean;
  readonly pkiEncrypted: boolean;
}

/** A packet for the radio. The id is chosen and stored before the first send. */
export interface OutgoingPacket {
  readonly id: number;
  readonly to: number;
  readonly channel: number;
  readonly portnum: number;
  readonly payload: Uint8Array;
  readonly replyId: number;
  readonly emoji: number;
  readonly wantAck: boolean;
  readonly wantResponse: boolean;
  /** null: the hop limit of the radio's LoRa settings. */
  readonly hopLimit: number | null;
  /** Encrypt to this node's public key (32 bytes) instead of the channel key; null for channel traffic. */
  readonly publicKey: Uint8Array | null;
}

export interface MeshNode {
  readonly num: number;
  readonly longName: string | null;
  readonly shortName: string | null;
  /** HardwareModel by name, as `TBEAM`. */
  readonly hwModel: string | null;
  /** Config.DeviceConfig.Role by name, as `CLIENT`. */
  readonly role: string | null;
  readonly publicKey: Uint8Array | null;
  readonly unmessagable: boolean;
  readonly favorite: boolean;
  readonly ignored: boolean;
  readonly viaMqtt: boolean;
  readonly lastHeardS: number;
  readonly snr: number;
  readonly hopsAway: number | null;
  readonly position: NodePosition | null;
  readonly metrics: DeviceMetrics | null;
}

export interface NodePosition {
  readonly latitude: number;
  readonly longitude: number;
  readonly altitudeM: number | null;
  readonly timeS: number;
  /** Precision of the position in bits (0 or 32: exact). */
  readonly precisionBits: number;
}

export interface DeviceMetrics {
  readonly batteryLevel: number | null;
  readonly voltage: number | null;
  /** Percent. */
  readonly channelUtilization: number | null;
  /** Percent of the last hour that this node transmitted. */
  readonly airUtilTx: number | null;
  readonly uptimeS: number | null;
}

export interface RadioChannel {
  readonly index: number;
  readonly name: string;
  readonly role: 'disabled' | 'primary' | 'secondary';
  /** The same for the same key, and not the key itself; null for a channel without encryption. */
  readonly keyId: string | null;
}

export interface LoraSettings {
  /** RegionCode by name, as `EU_868`; `UNSET` radios do not transmit. */
  readonly region: string;
  /** ModemPreset by name, as `LONG_FAST`; null when the settings below are set by hand. */
  readonly modemPreset: string | null;
  readonly bandwidthKhz: number;
  readonly spreadFactor: number;
  /** Denominator: 5 for 4/5. */
  readonly codingRate: number;
  readonly hopLimit: number;
  readonly txEnabled: boolean;
  readonly overrideDutyCycle: boolean;
}

/** What a radio says of itself during the handshake. */
export interface RadioInfo {
  readonly nodeNum: number;
  /** Restarts so far, where the board counts them (ESP32); else 0. */
  readonly bootCount?: number;
  readonly firmwareVersion: string | null;
  readonly hwModel: string | null;
  readonly hasPkc: boolean;
  readonly lora: LoraSettings | null;
  readonly channels: readonly RadioChannel[];
}

export type LinkStatus =
  | 'idle'
  | 'connecting'
  | 'handshaking'
  | 'ready'
  | 'backing-off'
  | 'kicked'
  | 'asleep'
  | 'stopped';

export interface RadioState {
  readonly status: LinkStatus;
  readonly sinceMs: number;
  /** Why it is not ready, in plain words for the operator; null when all is well. */
  readonly reason: string | null;
  /** Failed attempts since it was last ready. */
  readonly attempts: number;
}

/** Meshtastic QueueStatus: the radio's transmit queue, and what became of the packet we just gave it. */
export interface QueueStatus {
  /** Routing.Error number; 0 is accepted (or rate limited: then a routing error follows). */
  readonly res: number;
  readonly free: number;
  readonly maxlen: number;
  readonly packetId: number;
}

/** A routing answer to a packet of ours. */
export interface RoutingResult {
  readonly packetId: number;
  /** Routing.Error by name; `NONE` is an acknowledgement. */
  readonly error: string;
  /** Who answered: the own node for an implicit acknowledgement, the addressee for a real one. */
  readonly from: number;
}

export interface ClientNotification {
  readonly level: string;
  /** Packet id it speaks about; 0 for none. */
  readonly replyId: number;
  readonly message: string;
}

/** Where a radio adapter puts what it hears. Calls come in the order of the bytes and must not throw. */
export interface RadioSink {
  onState(state: RadioState): void;
  onInfo(info: RadioInfo): void;
  onNode(node: MeshNode): void;
  /** Every packet of the mesh, routing answers included. It is stored when this returns. */
  onPacket(packet: MeshPacket): void;
  /** Stores the packets that `work` hands over in one commit; throws when that fails, and then none is stored. */
  together?(work: () => void): void;
  onQueueStatus(status: QueueStatus): void;
  onRouting(result: RoutingResult): void;
  onNotification(notification: ClientNotification): void;
  /** The device says that it has restarted: what it had taken and not yet sent is gone. */
  onRebooted?(): void;
}

/** One Meshtastic device, kept connected for ever. One per configured radio; `name` keys rows, lanes and metrics. */
export interface RadioPort {
  readonly name: string;
  /** Starts connecting in the background; never throws for an absent radio. Call once. */
  start(sink: RadioSink): void;
  /** Ends the link within a second; no callback afterwards. */
  stop(): Promise<void>;
  state(): RadioState;
  /** null until the first handshake. */
  info(): RadioInfo | null;
  nodes(): ReadonlyMap<number, MeshNode>;
  /** Monotonic time of the last byte from the device; absent where whoever is `ready` is alive. */
  lastHeardMs?(): number;
  /** A fresh packet id, never 0. */
  newPacketId(): number;
  /**
   * Writes one packet. Resolves when the transport took the bytes, which is not yet acceptance by the radio
   * (see QueueStatus).
   * @throws RelayError RADIO_NOT_READY (retry later), RADIO_WRITE_FAILED (retry later, uncertain), RADIO_TOO_LARGE (never)
   */
  send(packet: OutgoingPacket): Promise<void>;
  /** As `send`, for a packet of somebody who shares the radio; absent where a radio cannot be shared. @throws RelayError as `send` */
  sendGuest?(packet: GuestPacket): Promise<void>;
  /**
   * Lets the device go, for that long or (null) until `claim`: state `stopped`, reason `released`. Resolves when it is
   * free. Before `start` it is not even touched.
   */
  release?(forMs: number | null): Promise<void>;
  /** Takes a released device back; does nothing when it is not released. */
  claim?(): void;
}

/**
 * A packet of a client that shares the radio (virtual node), in the client's own encoding. It takes its turn among ours
 * but lives in memory only: the client waits for its acknowledgement and knows what to do without one.
 */
export interface GuestPacket {
  /** Never 0. */
  readonly id: number;
  /** Whose it is: turns go round by guest. */
  readonly guest: string;
  /** Counts against the firmware's two seconds between texts. */
  readonly isText: boolean;
  /** 0 for a ciphertext. The firmware takes some ports seldom only. */
  readonly portnum: number;
  /** ToRadio protobuf. */
  readonly bytes: Uint8Array;
  /** The radio has it. One of the two is called, once. */
  onTaken(): void;
  /** It will not go out, for this Routing.Error by name. */
  onRefused(error: 'RATE_LIMIT_EXCEEDED' | 'NO_INTERFACE' | 'TIMEOUT'): void;
}

// ---------------------------------------------------------------- Matrix

/** An event of a room, decrypted where it was encrypted. */
export interface RoomEvent {
  readonly roomId: string;
  readonly eventId: string;
  readonly sender: string;
  /** Display name in the room; null when the member set none. */
  readonly senderName: string | null;
  readonly type: string;
  readonly content: JsonObject;
  /** origin_server_ts. */
  readonly timestampMs: number;
  readonly stateKey: string | null;
  /** Target of an m.room.redaction. */
  readonly redacts: string | null;
  readonly encrypted: boolean;
  /** Why it could not be decrypted; then `type` is m.room.encrypted and `content` the ciphertext. */
  readonly undecryptable: Unreadable | null;
  /** Its key came after newer messages, or much later than itself: marked on the mesh. */
  readonly late?: boolean;
}

/**
 * Why an event cannot be read: its key has not come; its sender's client has refused it to us, to all or to devices that
 * are not verified; we do not read devices that their owner has not signed (matrix.e2ee.trust); encryption is off or broken.
 */
export type Unreadable = 'no-key' | 'refused' | 'refused-unverified' | 'unsigned-sender' | 'no-crypto';

/** One /sync answer, back-filled where the server left a gap, in room order. */
export interface SyncBatch {
  readonly events: readonly RoomEvent[];
  /** To be stored in the same transaction as the events, and given to `start` next time. */
  readonly nextToken: string;
  /** True when there was no token to start from: its events are history, not news. */
  readonly initial: boolean;
  /** Rooms in which events are missing that nobody can read any more: their people have to know. */
  readonly gaps: readonly string[];
}

export type MatrixStatus = 'idle' | 'connecting' | 'syncing' | 'backing-off' | 'logged-out' | 'stopped';

export interface MatrixState {
  readonly status: MatrixStatus;
  readonly sinceMs: number;
  readonly reason: string | null;
  readonly attempts: number;
  /** Wall time of the last complete /sync; 0 before the first. */
  readonly lastSyncMs: number;
}

export interface MatrixSink {
  onState(state: MatrixState): void;
  /** The batch is in the database when this returns; when it throws, the token does not move and the batch comes again. */
  onSync(batch: SyncBatch): void;
  /** An event given as undecryptable is readable now, or unreadable for another reason. When this throws, it is called again. */
  onLearned(event: RoomEvent): void;
  /** An alias of the configuration stands for another room now, which we have joined. */
  onRoomMoved?(alias: string, roomId: string): void;
}

export interface RoomFacts {
  readonly roomId: string;
  readonly name: string | null;
  readonly joined: boolean;
  /** null while the room's state is not known: nothing is sent then. */
  readonly encrypted: boolean | null;
  readonly memberCount: number;
}

export interface RoomSend {
  readonly roomId: string;
  /** Event type; `m.room.redaction` takes the target from `redacts` in the content. */
  readonly type: string;
  readonly content: JsonObject;
  /** Derived from the outbox row, so that a resend after a crash is the same event. */
  readonly txnId: string;
  /** A file of the event: uploaded first, and its `url` (or `file`, in an encrypted room) put into the content. */
  readonly media?: OutgoingMedia;
}

export interface OutgoingMedia {
  readonly data: Uint8Array;
  readonly mimeType: string;
  readonly fileName: string;
}

/** A private room of the relay with the people it invites. */
export interface NewRoom {
  /** Makes creating it idempotent: a second try finds the room of the first. */
  readonly aliasLocalpart: string;
  readonly name: string;
  readonly topic: string;
  readonly invite: readonly string[];
  readonly encrypted: boolean;
}

/** One Matrix account, synced for ever. One per daemon. */
export interface MatrixPort {
  /** Starts in the background; never throws for an unreachable homeserver. Call once. */
  start(sink: MatrixSink, sinceToken: string | null): void;
  stop(): Promise<void>;
  state(): MatrixState;
  /** null until the credentials are known. */
  userId(): string | null;
  /** The room id behind an id or alias of the configuration, joined. @throws RelayError MATRIX_* with its retry policy */
  resolveRoom(idOrAlias: string): Promise<string>;
  /** The room that stands for this one now: itself, unless it was upgraded. */
  currentRoom?(roomId: string): string;
  /** null when we are not in that room, or have not synced it yet. */
  room(roomId: string): RoomFacts | null;
  powerLevel(roomId: string, userId: string): number | null;
  /** Display name in a room; null when there is none, or none is known. */
  memberName?(roomId: string, userId: string): string | null;
  /**
   * Sends one event, its file included; in an encrypted room as ciphertext or not at all.
   * @throws RelayError with policy: rate limits carry `after`, outages `later`, refusals `never`
   */
  send(send: RoomSend): Promise<{ readonly eventId: string }>;
  /** Room id of the new room, or of the one an earlier try has created. @throws RelayError MATRIX_* */
  createRoom(room: NewRoom): Promise<string>;
  /** Sets room state with an empty state key; the same content twice is one change. @throws RelayError MATRIX_* */
  setState(state: {
    readonly roomId: string;
    readonly type: string;
    readonly content: JsonObject;
  }): Promise<{ readonly eventId: string }>;
  /** Events of an earlier run that could not be decrypted: they come by `onLearned` when their keys have come. Call before `start`. */
  awaitKeys?(events: readonly RoomEvent[]): void;
  /** True when rooms can be encrypted by this build and configuration. */
  canEncrypt(): boolean;
}
