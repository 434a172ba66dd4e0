import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { type DeviceChannel, type DeviceLora, encodeRebooted } from '../../radio/codec/device-frames.ts';
import type { DevicePacket } from '../../radio/codec/device-packet.ts';
import { MODEM_PRESETS, type ModemPresetName, regionDutyPercent } from '../../util/airtime.ts';
import { type Clock, systemClock } from '../../util/clock.ts';
import { configFrames } from './config-frames.ts';
import { Connection } from './connection.ts';
import { newCounters, type RadioCounters } from './counters.ts';
import { Device } from './device.ts';
import { LinkFaults } from './faults.ts';
import { Listener } from './listener.ts';
import { Mesh, type NodeOptions, nodeState } from './mesh.ts';
import { MeshNodeHandle } from './mesh-node.ts';
import { PhoneApi } from './phone-api.ts';
import { type LostReason, PhoneQueue, type PhoneQueueDepth } from './phone-queue.ts';

const TEXT_INTERVAL_MS = 2000;
const REBOOT_MS = 1000;

export interface VirtualRadioOptions {
  readonly clock?: Clock;
  readonly host?: string;
  /** 0 takes a free one. */
  readonly port?: number;
  readonly nodeNum?: number;
  readonly longName?: string;
  readonly shortName?: string;
  readonly firmwareVersion?: string;
  readonly publicKey?: Uint8Array;
  /** One of the presets that the protobuf can name. */
  readonly modemPreset?: ModemPresetName;
  /** RegionCode by name; UNSET does not transmit. */
  readonly region?: string;
  readonly hopLimit?: number;
  readonly channels?: readonly DeviceChannel[];
  readonly nodes?: readonly NodeOptions[];
  readonly phoneQueueDepth?: PhoneQueueDepth;
  /** Percent of an hour; the region's when absent, 100 for none. */
  readonly dutyPercent?: number;
  /** 2000 in firmware since 2.7; lower only to carry many texts in little time. */
  readonly textIntervalMs?: number;
  /** In [0, 1): contention windows and packet ids. */
  readonly random?: () => number;
  /** A packet was written to a client as a whole; connections count from 1. */
  readonly onHandedOver?: (packet: DevicePacket, connection: number) => void;
}

/** A packet that the device had and no client got. */
export interface LostPacket {
  readonly packet: DevicePacket;
  readonly reason: LostReason;
}

export interface RebootOptions {
  /** `close`: TCP ends and is refused for `downMs`. `stay`: the connection lives and says `rebooted`, as over serial. */
  readonly tcp?: 'close' | 'stay';
  readonly downMs?: number;
}

const DEFAULT_CHANNELS: readonly DeviceChannel[] = [{ name: '', role: 'primary', psk: Uint8Array.of(1) }];

/**
 * Starts a virtual radio: a Meshtastic device on a loopback TCP port, with the client API and the limits of firmware
 * 2.7, and a mesh of other nodes around it.
 * @throws Error when the port is taken
 */
export async function createVirtualRadio(options: VirtualRadioOptions = {}): Promise<VirtualRadio> {
  const radio = new VirtualRadio(options);
  await radio.open();
  return radio;
}

/** Packet ids as the firmware makes them: a counter in the low 10 bits, random above. Never 0. */
function packetIds(random: () => number): () => number {
  let count = 0;
  return () => {
    count = (count % 1023) + 1;
    return Math.floor(random() * 2 ** 22) * 1024 + count;
  };
}

/** One device with its mesh. Made by createVirtualRadio; owns a listening port, at most one client, and timers. */
export class VirtualRadio {
  readonly nodeNum: number;
  readonly host: string;
  readonly counters: RadioCounters = newCounters();
  readonly faults: LinkFaults;
  readonly mesh: Mesh;
  /** In the order of the loss. */
  readonly lost: LostPacket[] = [];
  readonly #options: VirtualRadioOptions;
  readonly #clock: Clock;
  readonly #lora: DeviceLora;
  readonly #channels: DeviceChannel[];
  readonly #listener: Listener;
  readonly #phoneQueue: PhoneQueue;
  readonly #device: Device;
  readonly #startedMs: number;
  readonly #publicKey: Uint8Array;
  #client: Connection | null = null;
  #bootCount = 0;
  #cancelBoot: () => void = () => undefined;
  #closed = false;

  constructor(options: VirtualRadioOptions) {
    const { clock = systemClock, random = Math.random, modemPreset = 'SHORT_FAST', region = 'EU_868' } = options;
    this.#options = options;
    this.#clock = clock;
    this.#startedMs = clock.monotonic();
    this.#publicKey = options.publicKey ?? new Uint8Array(randomBytes(32));
    this.nodeNum = options.nodeNum ?? 0x0badcafe;
    this.host = options.host ?? '127.0.0.1';
    this.#lora = { region, modemPreset, ...MODEM_PRESETS[modemPreset], hopLimit: options.hopLimit ?? 3 };
    this.#channels = [...(options.channels ?? DEFAULT_CHANNELS)];
    const newId = packetIds(random);
    this.faults = new LinkFaults(() => this.#client?.flush());
    this.mesh = new Mesh({ clock, modem: this.#lora, newId });
    this.#phoneQueue = new PhoneQueue(options.phoneQueueDepth ?? 32, (packet, reason) => this.#lose(packet, reason));
    this.#device = new Device({
      nodeNum: this.nodeNum,
      clock,
      random,
      newId,
      lora: this.#lora,
      channels: this.#channels,
      dutyPercent: options.dutyPercent ?? regionDutyPercent(region),
      mesh: this.mesh,
      phoneQueue: this.#phoneQueue,
      counters: this.counters,
      onPhoneData: () => this.#client?.flush(),
      loseStatus: () => this.faults.takeLostStatus(),
    });
    for (const node of options.nodes ?? []) this.addNode(node);
    const onSocket = (socket: Socket): void => this.#accept(socket);
    this.#listener = new Listener({ host: this.host, port: options.port ?? 0, onSocket });
  }

  get port(): number {
    return this.#listener.port;
  }

  get connected(): boolean {
    return this.#client !== null;
  }

  /** Packets that wait for a client. */
  get waitingPackets(): number {
    return this.#phoneQueue.waitingPackets;
  }

  async open(): Promise<void> {
    await this.#listener.open();
  }

  /** Puts a node into the mesh, or replaces it. */
  addNode(options: NodeOptions): MeshNodeHandle {
    this.mesh.nodes.set(options.num, nodeState(options, Math.floor(this.#clock.now() / 1000)));
    return this.node(options.num);
  }

  /** @throws RangeError for a node that is not in the mesh */
  node(num: number): MeshNodeHandle {
    if (!this.mesh.nodes.has(num)) throw new RangeError(`no node ${num} in the virtual mesh`);
    return new MeshNodeHandle({ num, mesh: this.mesh, device: this.#device, clock: this.#clock });
  }

  /** The radio hears this packet. A (from, id) it remembers is dropped, unless `evenIfSeen`. */
  injectPacket(packet: DevicePacket, options: { readonly evenIfSeen?: boolean } = {}): void {
    this.#device.receive(packet, options.evenIfSeen ?? false);
  }

  /** Closes the port and cuts the client off: connections are refused until `accept`. */
  async refuse(): Promise<void> {
    this.#client?.close('reset');
    await this.#listener.close();
  }

  async accept(): Promise<void> {
    if (!this.#closed) await this.#listener.open();
  }

  /** Ends the client's connection, as a radio that loses its Wi-Fi. */
  disconnect(how: 'end' | 'reset' = 'end'): void {
    this.#client?.close(how);
  }

  /** Loses everything in RAM; see RebootOptions. Resolves when the device is down (`close`) or up again (`stay`). */
  async reboot({ tcp = 'close', downMs = REBOOT_MS }: RebootOptions = {}): Promise<void> {
    this.#bootCount += 1;
    this.#device.reboot();
    if (tcp === 'stay') {
      this.#client?.api.reset();
      this.#client?.writeFrame(encodeRebooted());
      return;
    }
    await this.refuse();
    this.#cancelBoot = this.#clock.after(downMs, () => void this.accept(), { background: true });
  }

  /** Ends everything; no timer, socket or port remains. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelBoot();
    this.#device.close();
    this.mesh.close();
    this.#client?.close('destroy');
    await this.#listener.close();
  }

  #accept(socket: Socket): void {
    this.counters.connections += 1;
    const number = this.counters.connections;
    if (this.#client !== null) {
      this.counters.kicked += 1;
      this.#client.close('end');
    }
    this.#client = new Connection({
      socket,
      clock: this.#clock,
      faults: this.faults,
      counters: this.counters,
      makeApi: (onDisconnect) => this.#makeApi(onDisconnect),
      onLost: ({ packet }, reason) => {
        if (packet !== null) this.#lose(packet, reason);
      },
      onHandedOver: (packet) => this.#options.onHandedOver?.(packet, number),
      onClose: (connection) => {
        if (this.#client === connection) this.#client = null;
      },
    });
    this.#client.flush();
  }

  #makeApi(onDisconnect: () => void): PhoneApi {
    return new PhoneApi({
      clock: this.#clock,
      device: this.#device,
      phoneQueue: this.#phoneQueue,
      counters: this.counters,
      textIntervalMs: this.#options.textIntervalMs ?? TEXT_INTERVAL_MS,
      configFrames: (nonce) => this.#configFrames(nonce),
      onDisconnect,
    });
  }

  #configFrames(nonce: number): readonly Uint8Array[] {
    const { longName = 'Virtual Relay', shortName = 'VR', firmwareVersion = '2.7.26.54e0d8d' } = this.#options;
    const hwModel = 'PORTDUINO';
    const others = this.mesh.known();
    const nowS = Math.floor(this.#clock.now() / 1000);
    const uptimeS = Math.floor((this.#clock.monotonic() - this.#startedMs) / 1000);
    const airUtilTx = this.#device.airUtilTx;
    const publicKey = this.#publicKey;
    const frames = configFrames(
      {
        identity: {
          nodeNum: this.nodeNum,
          nodeCount: others.length + 1,
          bootCount: this.#bootCount,
          firmwareVersion,
          hwModel,
        },
        own: {
          user: { num: this.nodeNum, longName, shortName, hwModel, role: 'CLIENT_MUTE', publicKey },
          position: { latitude: 0, longitude: 0, altitudeM: 0, timeS: nowS },
          metrics: { batteryLevel: 101, voltage: 0, channelUtilization: 0, airUtilTx, uptimeS },
          hopsAway: null,
          snr: 0,
          lastHeardS: nowS,
          favorite: true,
        },
        others,
        channels: this.#channels,
        lora: this.#lora,
      },
      nonce,
    );
    return this.faults.neverCompleteConfig ? frames.slice(0, -1) : frames;
  }

  #lose(packet: DevicePacket, reason: LostReason): void {
    this.counters[reason] += 1;
    this.lost.push({ packet, reason });
  }
}
