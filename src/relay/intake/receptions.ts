import type { Logger } from '../../util/logger.ts';
import { nodeId } from '../../util/node-id.ts';
import type { MeshPacket } from '../ports.ts';

const REMEMBERED = 256;

interface Reception {
  readonly radio: string;
  readonly snr: number;
}

/** Who heard a packet best, for those who place antennas. One per engine with several radios; the last packets only. */
export class Receptions {
  readonly #logger: Logger;
  readonly #best = new Map<string, Reception>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  note(radio: string, packet: MeshPacket): void {
    const key = `${packet.from}/${packet.id}`;
    const before = this.#best.get(key);
    if (before !== undefined && (before.radio === radio || packet.rxSnr <= before.snr)) return;
    if (before !== undefined) {
      this.#logger.debug('Another radio heard the packet better', {
        from: nodeId(packet.from),
        packetId: packet.id,
        radio,
        snr: packet.rxSnr,
        before: before.radio,
        snrBefore: before.snr,
      });
    }
    this.#best.set(key, { radio, snr: packet.rxSnr });
    const oldest = this.#best.keys().next();
    if (this.#best.size > REMEMBERED && oldest.done !== true) this.#best.delete(oldest.value);
  }
}
