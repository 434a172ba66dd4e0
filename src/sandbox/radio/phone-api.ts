import { decodeToRadio } from '../../radio/codec/device-frames.ts';
import type { DevicePacket } from '../../radio/codec/device-packet.ts';
import type { Clock } from '../../util/clock.ts';
import { BROADCAST } from '../../util/node-id.ts';
import type { RadioCounters } from './counters.ts';
import type { Device } from './device.ts';
import type { PhoneFrame, PhoneQueue } from './phone-queue.ts';

const TEXT_MESSAGE_APP = 1;
const TRACEROUTE_APP = 70;
/** Position, waypoint, alert, telemetry. */
const SLOW_PORTS: ReadonlySet<number> = new Set([3, 8, 11, 67]);
const SLOW_PORT_MS = 10_000;
const TRACEROUTE_MS = 30_000;
/** recentToRadioPacketIds. */
const RECENT_IDS = 20;

export interface PhoneApiOptions {
  readonly clock: Clock;
  readonly device: Device;
  readonly phoneQueue: PhoneQueue;
  readonly counters: RadioCounters;
  readonly textIntervalMs: number;
  readonly configFrames: (nonce: number) => readonly Uint8Array[];
  /** The client said goodbye. */
  readonly onDisconnect: () => void;
}

/**
 * One client's view of the device (PhoneAPI.cpp). One per connection. Holds the ids and the times by which the
 * firmware limits a client; nothing leaves before the client has asked for the configuration.
 */
export class PhoneApi {
  readonly #options: PhoneApiOptions;
  readonly #lastByPort = new Map<number, number>();
  #recentIds: number[] = [];
  #config: Uint8Array[] = [];
  #heartbeat = false;
  #state: 'nothing' | 'config' | 'packets' = 'nothing';

  constructor(options: PhoneApiOptions) {
    this.#options = options;
  }

  /** One ToRadio. */
  handle(bytes: Uint8Array): void {
    const request = decodeToRadio(bytes);
    switch (request?.kind) {
      case 'packet':
        this.#packet(request.packet);
        return;
      case 'want-config':
        this.#config = [...this.#options.configFrames(request.nonce)];
        this.#state = 'config';
        return;
      case 'heartbeat':
        // Nonce 1 asks for a NodeInfo on the mesh instead of a status.
        if (request.nonce !== 1) this.#heartbeat = true;
        return;
      case 'disconnect':
        this.#options.onDisconnect();
        return;
      case undefined:
        this.#options.counters.malformed += 1;
        return;
      case 'other':
    }
  }

  /** The next frame for this client; undefined when it has all there is. */
  pull(): PhoneFrame | undefined {
    if (this.#heartbeat) {
      this.#heartbeat = false;
      return { bytes: this.#options.device.statusFrame(0, 0), packet: null };
    }
    if (this.#state === 'nothing') return undefined;
    const bytes = this.#config.shift();
    if (bytes !== undefined) return { bytes, packet: null };
    this.#state = 'packets';
    return this.#options.phoneQueue.next();
  }

  /** The device rebooted under the connection: the client must ask again. */
  reset(): void {
    this.#state = 'nothing';
    this.#config = [];
    this.#recentIds = [];
    this.#lastByPort.clear();
  }

  #packet(packet: DevicePacket): void {
    const { clock, device, counters } = this.#options;
    if (packet.id !== 0 && this.#seen(packet.id)) {
      counters.repeated += 1;
      return;
    }
    if (this.#refused(packet)) return;
    this.#lastByPort.set(packet.portnum, clock.monotonic());
    const traced = packet.portnum === TRACEROUTE_APP && packet.to !== BROADCAST;
    device.sendFromClient(traced ? { ...packet, wantAck: true } : packet);
  }

  /** Records the id, before any limit is asked: a refused packet that comes again is ignored. */
  #seen(id: number): boolean {
    if (this.#recentIds.includes(id)) return true;
    this.#recentIds = [...this.#recentIds, id].slice(-RECENT_IDS);
    return false;
  }

  #refused(packet: DevicePacket): boolean {
    const { device, counters, textIntervalMs } = this.#options;
    const { portnum, id } = packet;
    if (portnum === TRACEROUTE_APP && this.#within(portnum, TRACEROUTE_MS)) {
      device.notify('TraceRoute can only be sent once every 30 seconds', id);
    } else if (portnum === TRACEROUTE_APP && packet.to === BROADCAST && packet.hopLimit > 0) {
      device.notify('Multi-hop traceroute to broadcast address is not allowed', id);
    } else if (SLOW_PORTS.has(portnum) && this.#within(portnum, SLOW_PORT_MS)) {
      // Nothing but the QueueStatus below.
    } else if (portnum === TEXT_MESSAGE_APP && this.#within(portnum, textIntervalMs)) {
      counters.rateLimited += 1;
      device.pushStatus(0, id);
      device.answerClient('RATE_LIMIT_EXCEEDED', id, packet.channel);
      return true;
    } else {
      return false;
    }
    counters.rateLimited += 1;
    device.pushStatus(0, id);
    return true;
  }

  #within(portnum: number, spanMs: number): boolean {
    const last = this.#lastByPort.get(portnum);
    return last !== undefined && this.#options.clock.monotonic() - last < spanMs;
  }
}
