import type { DevicePacket } from '../../radio/codec/device-packet.ts';

/** MAX_TX_QUEUE of the firmware (RadioInterface.h). */
export const TX_QUEUE_LENGTH = 16;

const PRIORITY = { DEFAULT: 64, RELIABLE: 70, RESPONSE: 80, HIGH: 100, ACK: 120 } as const;
const TEXT_MESSAGE_APP = 1;
const ROUTING_APP = 5;
const ADMIN_APP = 6;

/** The priority the firmware gives a packet whose sender gave none (MeshPacketQueue.cpp, fixPriority). */
function priorityOf(packet: DevicePacket): number {
  if (packet.priority !== 0) return packet.priority;
  if (packet.portnum === ROUTING_APP) return PRIORITY.ACK;
  if (packet.portnum === TEXT_MESSAGE_APP || packet.portnum === ADMIN_APP) return PRIORITY.HIGH;
  if (packet.requestId !== 0) return PRIORITY.RESPONSE;
  return packet.wantAck || packet.wantResponse ? PRIORITY.RELIABLE : PRIORITY.DEFAULT;
}

/**
 * The transmit queue of a device, ordered by priority, stable within one. One per device. When full, a newcomer
 * takes the place of the last packet if that has a lower priority, and is refused otherwise.
 */
export class TxQueue {
  readonly maxlen: number;
  readonly #onEvict: (packet: DevicePacket) => void;
  #queue: DevicePacket[] = [];

  constructor(maxlen: number, onEvict: (packet: DevicePacket) => void) {
    this.maxlen = maxlen;
    this.#onEvict = onEvict;
  }

  get free(): number {
    return this.maxlen - this.#queue.length;
  }

  /** False when there is no room for a packet of its priority. */
  enqueue(packet: DevicePacket): boolean {
    const entry = { ...packet, priority: priorityOf(packet) };
    if (this.free <= 0) {
      const last = this.#queue.at(-1);
      if (last === undefined || last.priority >= entry.priority) return false;
      this.#queue.pop();
      this.#onEvict(last);
    }
    const at = this.#queue.findIndex((other) => other.priority < entry.priority);
    this.#queue.splice(at === -1 ? this.#queue.length : at, 0, entry);
    return true;
  }

  dequeue(): DevicePacket | undefined {
    return this.#queue.shift();
  }

  /** Takes out a packet that need not be sent any more. */
  cancel(from: number, id: number): void {
    this.#queue = this.#queue.filter((packet) => packet.from !== from || packet.id !== id);
  }

  clear(): void {
    this.#queue = [];
  }
}
