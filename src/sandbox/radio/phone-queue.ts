import { encodeFromRadioPacket } from '../../radio/codec/device-frames.ts';
import type { DevicePacket } from '../../radio/codec/device-packet.ts';

const TEXT_MESSAGE_APP = 1;
const RANGE_TEST_APP = 66;
/** Depth of the queues for QueueStatus and ClientNotification (MeshService.h). */
const STATUS_DEPTH = 2;

/** MAX_RX_TOPHONE by board: classic ESP32, nRF52840, and the rest. */
export type PhoneQueueDepth = 8 | 16 | 32;

/** What left the to-phone queue otherwise than to a client. */
export type LostReason = 'evicted' | 'dropped' | 'reboot' | 'cut';

/** What is ready to go to the client: a frame, and the packet in it if it is one. */
export interface PhoneFrame {
  readonly bytes: Uint8Array;
  readonly packet: DevicePacket | null;
}

/**
 * What waits for a client: statuses, notifications, packets, served in this order (PhoneAPI::available). One per
 * device, shared by all its clients; RAM only. Invariant: at most `depth` packets; a text or range test that finds
 * no room evicts the oldest packet of any kind, others are dropped.
 */
export class PhoneQueue {
  readonly #depth: PhoneQueueDepth;
  readonly #onLost: (packet: DevicePacket, reason: LostReason) => void;
  #packets: DevicePacket[] = [];
  #statuses: Uint8Array[] = [];
  #notifications: Uint8Array[] = [];

  constructor(depth: PhoneQueueDepth, onLost: (packet: DevicePacket, reason: LostReason) => void) {
    this.#depth = depth;
    this.#onLost = onLost;
  }

  get waitingPackets(): number {
    return this.#packets.length;
  }

  pushPacket(packet: DevicePacket): void {
    if (this.#packets.length >= this.#depth) {
      if (packet.portnum !== TEXT_MESSAGE_APP && packet.portnum !== RANGE_TEST_APP) {
        this.#onLost(packet, 'dropped');
        return;
      }
      const oldest = this.#packets.shift();
      if (oldest !== undefined) this.#onLost(oldest, 'evicted');
    }
    this.#packets.push(packet);
  }

  pushStatus(frame: Uint8Array): void {
    this.#statuses = [...this.#statuses, frame].slice(-STATUS_DEPTH);
  }

  pushNotification(frame: Uint8Array): void {
    this.#notifications = [...this.#notifications, frame].slice(-STATUS_DEPTH);
  }

  /** The next frame for the client; undefined when nothing waits. */
  next(): PhoneFrame | undefined {
    const bytes = this.#statuses.shift() ?? this.#notifications.shift();
    if (bytes !== undefined) return { bytes, packet: null };
    const packet = this.#packets.shift();
    return packet === undefined ? undefined : { bytes: encodeFromRadioPacket(packet), packet };
  }

  /** A reboot: nothing survives. */
  clear(): void {
    for (const packet of this.#packets) this.#onLost(packet, 'reboot');
    this.#packets = [];
    this.#statuses = [];
    this.#notifications = [];
  }
}
