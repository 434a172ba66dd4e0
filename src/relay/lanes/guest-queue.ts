import type { Clock } from '../../util/clock.ts';
import type { GuestPacket } from '../ports.ts';

/** As many as a radio's own transmit queue takes from its one client. */
const MAX_PER_GUEST = 16;
/** A client that got no answer in a minute has given up itself. */
const MAX_WAIT_MS = 60_000;

interface Waiting {
  readonly packet: GuestPacket;
  readonly sinceMs: number;
}

/**
 * Packets of clients that share the radio, waiting for their turn in its lane. One per radio lane; memory only.
 * A queue beside the outbox and not rows in it: a client waits for its acknowledgement in person, so a packet that
 * outlived a restart would come as a surprise, and a write to disk would cost it its latency.
 * Invariants: order is kept per guest, among its texts and among its packets of one port; no guest can make another wait for more than one packet of each.
 */
export class GuestQueue {
  readonly #clock: Clock;
  #waiting: Waiting[] = [];
  #isTheirTurn = true;
  /** Who was served last, by texts and by other packets. */
  #lastGuest = { text: '', other: '' };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The last text that left was one of ours. */
  get isTheirTurn(): boolean {
    return this.#isTheirTurn;
  }

  /** False when the guest has as many waiting as a radio would take. */
  add(packet: GuestPacket): boolean {
    if (this.#waiting.filter(({ packet: other }) => other.guest === packet.guest).length >= MAX_PER_GUEST) return false;
    this.#waiting.push({ packet, sinceMs: this.#clock.monotonic() });
    return true;
  }

  /** The next text; guests take turns. */
  nextText(): GuestPacket | null {
    return this.#next((packet) => packet.isText, this.#lastGuest.text);
  }

  /** The next packet that is no text, of those `mayGo` lets go: they do not wait for the pause between texts. */
  nextOther(mayGo: (packet: GuestPacket) => boolean): GuestPacket | null {
    return this.#next((packet) => !packet.isText && mayGo(packet), this.#lastGuest.other);
  }

  /** Ports of the packets that wait and are no texts. */
  otherPorts(): readonly number[] {
    return this.#waiting.flatMap(({ packet }) => (packet.isText ? [] : [packet.portnum]));
  }

  /** Gone, taken or refused. */
  remove(packet: GuestPacket): void {
    this.#waiting = this.#waiting.filter((entry) => entry.packet !== packet);
    this.#lastGuest[packet.isText ? 'text' : 'other'] = packet.guest;
    if (packet.isText) this.#isTheirTurn = false;
  }

  /** A text of ours has left. */
  giveTurn(): void {
    this.#isTheirTurn = true;
  }

  /** Tells the guests of packets that waited too long, and why. */
  sweep(why: 'NO_INTERFACE' | 'TIMEOUT'): void {
    const oldestMs = this.#clock.monotonic() - MAX_WAIT_MS;
    const late = this.#waiting.filter(({ sinceMs }) => sinceMs < oldestMs);
    if (late.length === 0) return;
    this.#waiting = this.#waiting.filter(({ sinceMs }) => sinceMs >= oldestMs);
    for (const { packet } of late) packet.onRefused(why);
  }

  #next(fits: (packet: GuestPacket) => boolean, last: string): GuestPacket | null {
    const fitting = this.#waiting.map(({ packet }) => packet).filter(fits);
    const guests = [...new Set(fitting.map(({ guest }) => guest))].sort();
    const guest = guests.find((name) => name > last) ?? guests[0];
    return fitting.find((packet) => packet.guest === guest) ?? null;
  }
}
