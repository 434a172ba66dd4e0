/** What the relay keeps, as types only: inbox, outbox, links, names, values. Implemented by store/. */

import type { JsonObject, JsonValue } from '../util/json.ts';
import type { MeshPacket, RoomEvent } from './ports.ts';

/** A link between one mesh packet and one Matrix event; a message in three parts has three packet rows. */
export interface MessageLink {
  /** '' in what `byEvent` finds of an old relay, which had one radio only. */
  readonly radio: string;
  /** Node that sent the packet; 0 in rows taken from an old relay, which did not keep it. */
  readonly sender: number;
  readonly packetId: number;
  readonly roomId: string;
  readonly eventId: string;
  readonly direction: 'to-room' | 'to-mesh';
  /** Text without prefix, for quotes; null for kinds that have none. */
  readonly text: string | null;
  readonly meshnet: string | null;
  /** Matrix user or node id of the author. */
  readonly author: string | null;
  readonly createdAtMs: number;
}

export type InboxItem =
  | {
      readonly kind: 'mesh';
      readonly radio: string;
      readonly packet: MeshPacket;
      /** Another radio of ours heard it before, for rooms of its own: plugins have seen it. */
      readonly again?: boolean;
    }
  | { readonly kind: 'room'; readonly event: RoomEvent };

export interface InboxRow {
  readonly rowId: number;
  readonly receivedAtMs: number;
  readonly item: InboxItem;
}

export type OutboxState = 'queued' | 'sent' | 'done' | 'failed' | 'expired';

export interface NewOutboxRow {
  /** `room:<id or alias as configured>` or `radio:<name>`; rows of a lane leave in order of priority, then of row id. */
  readonly lane: string;
  /** Lower leaves first. */
  readonly priority: number;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  /** The packet id chosen for a radio row; null for rooms. */
  readonly packetId: number | null;
  /** Where it came from: `event:<room>/<event id>`, `packet:<from>/<id>`, `plugin:<name>`, `notice`. */
  readonly origin: string;
  /** Set of rows that belong together (parts of one text), kept adjacent; null for single rows. */
  readonly groupId: string | null;
  /** What to send, as the relay's delivery types define it. */
  readonly payload: JsonObject;
}

export interface OutboxRow extends NewOutboxRow {
  readonly rowId: number;
  readonly state: OutboxState;
  readonly attempts: number;
  readonly nextAttemptAtMs: number;
  readonly sentAtMs: number | null;
  readonly lastError: string | null;
  /** Another row of its group has left: this one is to follow before anything else. */
  readonly begun: boolean;
}

export interface OutboxChange {
  /** It moves to another radio; the place among the rows there is by priority and row id, as ever. */
  readonly lane?: string;
  readonly state?: OutboxState;
  readonly attempts?: number;
  readonly nextAttemptAtMs?: number;
  readonly sentAtMs?: number | null;
  readonly packetId?: number;
  readonly lastError?: string | null;
  readonly payload?: JsonObject;
}

export interface LaneDepth {
  readonly lane: string;
  readonly queued: number;
  readonly sent: number;
  readonly oldestCreatedAtMs: number | null;
}

/** All methods are synchronous; a write is on disk (fsync) when the transaction that holds it returns. */
export interface StorePort {
  /** Runs `work` in one transaction (nested calls join it); rolls back when it throws. @throws RelayError STORE_FULL, STORE_FAILED, STORE_CORRUPT */
  transaction<T>(work: () => T): T;
  readonly inbox: InboxStore;
  readonly outbox: OutboxStore;
  readonly links: LinkStore;
  readonly names: NameStore;
  readonly values: ValueStore;
  readonly pluginData: PluginDataStore;
}

export interface InboxStore {
  /**
   * Row id, or null when (from, id) was seen before. Packets without id are told apart by their content. With several
   * radios, `home` is the radio whose rooms the packet goes to: seen before means for that home, or sent by us.
   */
  addPacket(radio: string, packet: MeshPacket, receivedAtMs: number, home?: string): number | null;
  /** Row id, or null when the event id was seen before. */
  addEvent(event: RoomEvent, receivedAtMs: number): number | null;
  hasEvent(eventId: string): boolean;
  /** Remembers a packet of our own, so that its echo is a duplicate. */
  noteOwnPacket(from: number, packetId: number, atMs: number): void;
  /** Rows not yet processed, oldest first. */
  pending(limit: number): readonly InboxRow[];
  /** Processed: the payload is dropped, the key stays for deduplication. */
  markDone(rowId: number): void;
  /** Sets a row aside that nothing can be done with: it is kept for people to look at, and offered no more. */
  park(rowId: number, error: string): void;
  /** Forgets keys, and rows set aside, older than this, but never the newest `keepNewest` (default 0): the clock may have been set. */
  prune(beforeMs: number, keepNewest?: number): number;
}

export interface OutboxStore {
  add(row: NewOutboxRow): number;
  get(rowId: number): OutboxRow | null;
  /** First queued row of the lane by priority, then row id, whether due or not. */
  head(lane: string): OutboxRow | null;
  /** The next queued rows of the lane in leaving order. */
  queued(lane: string, limit: number): readonly OutboxRow[];
  /** The first queued row (by row id) of each origin up to its slash, as a room or a plugin; best priority first. */
  heads(lane: string, limit: number): readonly OutboxRow[];
  /** Rows in state `sent` of the lane: waiting for the other side's word. */
  sent(lane: string): readonly OutboxRow[];
  /** A queued or sent radio row by its packet id. */
  byPacketId(lane: string, packetId: number): OutboxRow | null;
  update(rowId: number, change: OutboxChange): void;
  /** Lanes that hold queued or sent rows. */
  depths(): readonly LaneDepth[];
  /** Queued rows whose age is up, oldest first; of a lane with very many, the first 200 (ask again). */
  expired(nowMs: number): readonly OutboxRow[];
  /** Newest row id ever given; 0 for none. */
  lastRowId(): number;
  /** Queued rows behind this row id may wait that much longer. */
  postpone(afterRowId: number, byMs: number): void;
  /** What was sent in this lane, and has had no word, waits again. */
  requeueSent(lane: string): void;
  /** Queued packets that answer this packet answer that one. */
  redirectReplies(fromPacketId: number, toPacketId: number): void;
  /** Drops finished rows older than this. */
  prune(beforeMs: number): number;
}

export interface LinkStore {
  add(link: MessageLink): void;
  byEvent(eventId: string): readonly MessageLink[];
  /** The newest link of a packet, narrowed by what is given; falls back to rows of an old relay. */
  byPacket(key: {
    readonly radio: string;
    readonly packetId: number;
    readonly sender?: number;
    readonly roomId?: string;
  }): MessageLink | null;
  /** A packet of ours bears another id from now on, and perhaps another sender. */
  renumber(packetId: number, next: { readonly packetId: number; readonly sender: number }): void;
  prune(options: { readonly beforeMs: number; readonly keepAtLeast: number }): number;
}

export interface NodeName {
  readonly longName: string | null;
  readonly shortName: string | null;
  readonly lastSeenMs: number;
}

export interface NameStore {
  get(num: number): NodeName | null;
  /** Null names keep what is known: a radio that forgets a node does not make us forget its name. */
  put(num: number, name: NodeName): void;
  /** Whether several nodes bear this long name. */
  isShared(longName: string): boolean;
  /** Forgets all but the nodes heard last. */
  prune(keepNewest: number): number;
}

/** Small durable facts: sync token, install id, counters. */
export interface ValueStore {
  get(key: string): string | null;
  set(key: string, value: string): void;
  delete(key: string): void;
  /** Keys that begin so, in order. */
  keys(prefix: string): readonly string[];
  /** Forgets facts whose key begins so and whose value is a time (milliseconds) before this. */
  pruneTimes(prefix: string, beforeMs: number): number;
}

/** JSON values of plugins, by plugin name and key (a node id as `!a1b2c3d4`, or a word of the plugin's own). */
export interface PluginDataStore {
  /** null when there is none, or when it is not JSON. */
  get(plugin: string, key: string): JsonValue | null;
  /** @throws RelayError PLUGIN_QUOTA (nothing written) when the plugin's keys and values would exceed `quotaBytes` */
  set(plugin: string, key: string, value: JsonValue, quotaBytes?: number): void;
  /** Adds to the list under the key (anything else there is replaced), keeping its newest items. @throws RelayError PLUGIN_QUOTA */
  append(
    plugin: string,
    key: string,
    item: JsonValue,
    limits: { readonly keepNewest: number; readonly quotaBytes?: number },
  ): void;
  delete(plugin: string, key: string): void;
  all(plugin: string): ReadonlyMap<string, JsonValue>;
  /** UTF-8 bytes of all keys and values. */
  usedBytes(plugin: string): number;
}
