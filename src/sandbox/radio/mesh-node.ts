import type { DeviceMetricsInfo, PositionInfo } from '../../radio/codec/device-node.ts';
import type { DevicePacket } from '../../radio/codec/device-packet.ts';
import { encodePosition, encodeTelemetry, encodeUser } from '../../radio/codec/device-payloads.ts';
import type { Clock } from '../../util/clock.ts';
import type { Device } from './device.ts';
import type { Mesh, MeshNodeState } from './mesh.ts';

const TEXT_MESSAGE_APP = 1;
const POSITION_APP = 3;
const NODEINFO_APP = 4;
const TELEMETRY_APP = 67;

export interface TextOptions {
  /** A node number; broadcast when absent. */
  readonly to?: number;
  /** Packet id that this answers, or that the emoji is for. */
  readonly replyId?: number;
  /** The text is a tapback. */
  readonly emoji?: boolean;
  readonly id?: number;
  readonly wantAck?: boolean;
  readonly snr?: number;
  readonly rssi?: number;
}

/** What a person with that node in hand can do. A handle without state of its own; make as many as you like. */
export class MeshNodeHandle {
  readonly num: number;
  readonly #mesh: Mesh;
  readonly #device: Device;
  readonly #clock: Clock;

  constructor(options: {
    readonly num: number;
    readonly mesh: Mesh;
    readonly device: Device;
    readonly clock: Clock;
  }) {
    this.num = options.num;
    this.#mesh = options.mesh;
    this.#device = options.device;
    this.#clock = options.clock;
  }

  /** The radio hears a text of this node. The answer is the packet id. */
  sendText(channel: number, text: string, options: TextOptions = {}): number {
    const { to, replyId = 0, emoji = false, id, wantAck = false, snr, rssi } = options;
    return this.send({
      channel,
      portnum: TEXT_MESSAGE_APP,
      payload: new TextEncoder().encode(text),
      replyId,
      emoji: emoji ? 1 : 0,
      wantAck,
      ...(to === undefined ? {} : { to }),
      ...(id === undefined ? {} : { id }),
      ...(snr === undefined ? {} : { rxSnr: snr }),
      ...(rssi === undefined ? {} : { rxRssi: rssi }),
    });
  }

  /** NodeInfo on the primary channel, after which the radio knows this node. */
  sendNodeInfo(): number {
    return this.send({ portnum: NODEINFO_APP, payload: encodeUser(this.#state().user) });
  }

  sendPosition(position: PositionInfo): number {
    this.#mesh.update(this.num, { position });
    return this.send({ portnum: POSITION_APP, payload: encodePosition(position) });
  }

  sendTelemetry(metrics: DeviceMetricsInfo): number {
    this.#mesh.update(this.num, { metrics });
    return this.send({ portnum: TELEMETRY_APP, payload: encodeTelemetry(metrics, this.#nowS()) });
  }

  /** Takes new names; sendNodeInfo tells the others. */
  rename(longName: string, shortName: string): void {
    this.#mesh.update(this.num, { user: { ...this.#state().user, longName, shortName } });
  }

  /** Out of range, or back. */
  setOnline(online: boolean): void {
    this.#mesh.update(this.num, { online });
  }

  /** Any packet from this node. The answer is its id. */
  send(fields: Partial<DevicePacket>): number {
    this.#mesh.update(this.num, { lastHeardS: this.#nowS() });
    const packet = this.#mesh.packetFrom(this.num, fields);
    this.#device.receive(packet);
    return packet.id;
  }

  #state(): MeshNodeState {
    return this.#mesh.update(this.num, {});
  }

  #nowS(): number {
    return Math.floor(this.#clock.now() / 1000);
  }
}
