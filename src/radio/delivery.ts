import type { MeshPacket, RadioSink, RoutingResult } from '../relay/ports.ts';
import type { Logger } from '../util/logger.ts';
import { errorText } from '../util/relay-error.ts';
import { decodeRouting } from './codec/from-radio.ts';

/**
 * Hands packets to the relay in order, and keeps those it could not store. One per radio.
 * Invariant: a packet is either stored by the sink or in `#held`; while one is held, later ones queue behind it.
 */
export class Delivery {
  readonly #sink: RadioSink;
  readonly #logger: Logger;
  readonly #isOurs: (result: RoutingResult, packet: MeshPacket) => boolean;
  #held: MeshPacket[] = [];
  #lastError = '';

  constructor(sink: RadioSink, logger: Logger, isOurs: (result: RoutingResult, packet: MeshPacket) => boolean) {
    this.#sink = sink;
    this.#logger = logger;
    this.#isOurs = isOurs;
  }

  get held(): number {
    return this.#held.length;
  }

  /** Why the sink refused the oldest held packet. */
  get lastError(): string {
    return this.#lastError;
  }

  /** Takes a packet for the next `flush`. */
  hold(packet: MeshPacket): void {
    this.#held.push(packet);
  }

  /** False when the packet had to be held. */
  offer(packet: MeshPacket): boolean {
    this.hold(packet);
    return this.#held.length === 1 ? this.flush() : false;
  }

  /** Hands over what is held, all in one commit; true when nothing is left. */
  flush(): boolean {
    const packets = this.#held;
    if (packets.length === 0) return true;
    try {
      const store = (): void => {
        for (const packet of packets) this.#sink.onPacket(packet);
      };
      if (this.#sink.together === undefined) store();
      else this.#sink.together(store);
    } catch (error) {
      this.#lastError = errorText(error);
      return false;
    }
    this.#held = [];
    for (const packet of packets) this.#tellRouting(packet);
    return true;
  }

  #tellRouting(packet: MeshPacket): void {
    const result = decodeRouting(packet);
    if (result === null || !this.#isOurs(result, packet)) return;
    guarded(this.#logger, () => this.#sink.onRouting(result));
  }
}

/** Runs a callback of the relay that must not throw; when it does, the reader lives on and the log has it. */
export function guarded(logger: Logger, callback: () => void): void {
  try {
    callback();
  } catch (error) {
    logger.error('a callback of the relay failed', { error: errorText(error) });
  }
}
