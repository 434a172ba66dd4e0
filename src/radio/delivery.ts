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

  /** False when the packet had to be held. */
  offer(packet: MeshPacket): boolean {
    this.#held.push(packet);
    return this.#held.length === 1 ? this.flush() : false;
  }

  /** Tries the held packets again; true when none is left. */
  flush(): boolean {
    for (let packet = this.#held[0]; packet !== undefined; packet = this.#held[0]) {
      try {
        this.#sink.onPacket(packet);
      } catch (error) {
        this.#lastError = errorText(error);
        return false;
      }
      this.#held.shift();
      this.#tellRouting(packet);
    }
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
