import type { DeviceMetricsInfo, DeviceNode, DeviceUser, PositionInfo } from '../../radio/codec/device-node.ts';
import { type DevicePacket, devicePacket } from '../../radio/codec/device-packet.ts';
import { encodeRouting, type RoutingErrorName } from '../../radio/codec/device-payloads.ts';
import { airtimeMs, frameBytes, type Modem, slotMs } from '../../util/airtime.ts';
import type { Clock } from '../../util/clock.ts';
import { BROADCAST } from '../../util/node-id.ts';

const TEXT_MESSAGE_APP = 1;
const ROUTING_APP = 5;
const DEFAULT_HOPS = 3;
/** A relay waits this many slots before it repeats (RadioInterface, 2 * CWmax). */
const RELAY_SLOTS = 16;

export interface MeshNodeState extends Omit<DeviceNode, 'hopsAway'> {
  readonly hopsAway: number;
  readonly rssi: number;
  /** Hears and answers. */
  readonly online: boolean;
  /** Repeats what it hears. */
  readonly relays: boolean;
  /** Is in the node database of the radio. */
  readonly known: boolean;
}

/** One transmission of the radio. */
export interface AirRecord {
  readonly atMs: number;
  readonly packet: DevicePacket;
  /** Nodes within one hop that heard it. */
  readonly heardBy: readonly number[];
}

/** What the mesh does to the radio. */
export interface MeshListener {
  receive(packet: DevicePacket): void;
  heardRebroadcast(from: number, id: number): void;
}

export interface MeshOptions {
  readonly clock: Clock;
  readonly modem: Modem;
  readonly newId: () => number;
}

/**
 * All nodes but the radio, and the air between. One per virtual radio. Keeps every transmission of the radio, and
 * apart from that what the nodes took in: once per (from, id), as the duplicate filter of real nodes has it.
 */
export class Mesh {
  readonly nodes = new Map<number, MeshNodeState>();
  readonly #options: MeshOptions;
  readonly #seen = new Set<string>();
  readonly #watchers = new Set<(record: AirRecord) => void>();
  readonly #timers = new Set<() => void>();
  readonly raw: AirRecord[] = [];
  readonly heard: AirRecord[] = [];
  #listener: MeshListener | null = null;

  constructor(options: MeshOptions) {
    this.#options = options;
  }

  attach(listener: MeshListener): void {
    this.#listener = listener;
  }

  /** Calls back for each packet that the nodes took in; the returned function ends it. */
  watch(watcher: (record: AirRecord) => void): () => void {
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  /** The nodes of the radio's database. */
  known(): readonly MeshNodeState[] {
    return [...this.nodes.values()].filter((node) => node.known);
  }

  update(num: number, change: Partial<MeshNodeState>): MeshNodeState {
    const node = this.nodes.get(num);
    if (node === undefined) throw new RangeError(`no node ${num} in the virtual mesh`);
    const changed = { ...node, ...change };
    this.nodes.set(num, changed);
    return changed;
  }

  /** A packet of this node as the radio hears it. */
  packetFrom(num: number, fields: Partial<DevicePacket>): DevicePacket {
    const node = this.nodes.get(num);
    const hopsAway = node?.hopsAway ?? 0;
    return devicePacket({
      id: this.#options.newId(),
      hopStart: Math.max(DEFAULT_HOPS, hopsAway),
      hopLimit: Math.max(DEFAULT_HOPS, hopsAway) - hopsAway,
      rxSnr: node?.snr ?? 0,
      rxRssi: node?.rssi ?? 0,
      ...fields,
      from: num,
    });
  }

  /** The radio has sent this packet: the nodes hear it, repeat it, acknowledge it. */
  transmitted(packet: DevicePacket): void {
    const neighbours = [...this.nodes.values()].filter((node) => node.online && node.hopsAway === 0);
    const record = { atMs: this.#options.clock.now(), packet, heardBy: neighbours.map((node) => node.user.num) };
    this.raw.push(record);
    if (neighbours.length === 0) return;
    const key = `${packet.from}:${packet.id}`;
    if (!this.#seen.has(key)) {
      this.#seen.add(key);
      this.heard.push(record);
      for (const watcher of this.#watchers) watcher(record);
    }
    const addressee = this.nodes.get(packet.to);
    const direct = addressee?.online === true && addressee.hopsAway === 0;
    const repeated = neighbours.some((node) => node.relays) && packet.hopLimit > 0 && !direct;
    const hopMs = this.#hopMs(packet);
    if (repeated) this.#later(hopMs, (radio) => radio.heardRebroadcast(packet.from, packet.id));
    if (packet.wantAck && addressee?.online && (direct || (repeated && packet.hopLimit >= addressee.hopsAway))) {
      this.#acknowledge(packet, addressee, hopMs);
    }
  }

  close(): void {
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
  }

  #acknowledge(packet: DevicePacket, addressee: MeshNodeState, hopMs: number): void {
    const { num, publicKey } = addressee.user;
    const legacy = packet.portnum === TEXT_MESSAGE_APP && publicKey !== null && !packet.pkiEncrypted;
    const error: RoutingErrorName = legacy ? 'NO_CHANNEL' : 'NONE';
    const fields = {
      portnum: ROUTING_APP,
      payload: encodeRouting(error),
      requestId: packet.id,
      channel: packet.channel,
    };
    this.#later(hopMs * (2 * addressee.hopsAway + 1), (radio) =>
      radio.receive(this.packetFrom(num, { ...fields, to: packet.from, priority: 120 })),
    );
  }

  #hopMs(packet: DevicePacket): number {
    const { modem } = this.#options;
    return RELAY_SLOTS * slotMs(modem) + airtimeMs(packetFrameBytes(packet), modem);
  }

  #later(delayMs: number, what: (radio: MeshListener) => void): void {
    const cancel = this.#options.clock.after(
      delayMs,
      () => {
        this.#timers.delete(cancel);
        if (this.#listener !== null) what(this.#listener);
      },
      { background: true },
    );
    this.#timers.add(cancel);
  }
}

/** Bytes of a packet as a LoRa frame. */
export function packetFrameBytes(packet: DevicePacket): number {
  if (packet.encrypted) return 16 + packet.payload.length;
  const { replyId, emoji, pkiEncrypted } = packet;
  return frameBytes(packet.payload.length, { replyId: replyId !== 0, emoji: emoji !== 0, pki: pkiEncrypted });
}

export interface NodeOptions {
  readonly num: number;
  readonly longName: string;
  readonly shortName: string;
  readonly hwModel?: string;
  readonly role?: string;
  /** 32 bytes; without one the node knows no PKI. */
  readonly publicKey?: Uint8Array;
  readonly hopsAway?: number;
  readonly snr?: number;
  readonly rssi?: number;
  readonly online?: boolean;
  readonly relays?: boolean;
  readonly known?: boolean;
  readonly position?: PositionInfo;
  readonly metrics?: DeviceMetricsInfo;
}

/** A node of the mesh, with the defaults of a good neighbour. */
export function nodeState(options: NodeOptions, nowS: number): MeshNodeState {
  if (options.num === 0 || options.num === BROADCAST) throw new RangeError('0 and broadcast are not node numbers');
  const { num, longName, shortName, hwModel = 'TBEAM', role = 'CLIENT', publicKey = null } = options;
  const user: DeviceUser = { num, longName, shortName, hwModel, role, publicKey };
  return {
    user,
    hopsAway: options.hopsAway ?? 0,
    snr: options.snr ?? 6.25,
    rssi: options.rssi ?? -60,
    online: options.online ?? true,
    relays: options.relays ?? true,
    known: options.known ?? true,
    position: options.position ?? null,
    metrics: options.metrics ?? null,
    lastHeardS: nowS,
    favorite: false,
  };
}
