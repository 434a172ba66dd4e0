import type { Clock } from '../../util/clock.ts';
import type { Logger } from '../../util/logger.ts';
import { KnownRadios } from '../known-radios.ts';
import type { MeshPacket, RadioPort } from '../ports.ts';
import { homeOf } from '../rules/radio-pair.ts';
import type { RelaySettings } from '../settings.ts';
import type { StorePort } from '../store-port.ts';
import { Receptions } from './receptions.ts';

export interface PacketIntakeOptions {
  readonly store: StorePort;
  readonly radios: ReadonlyMap<string, RadioPort>;
  readonly settings: RelaySettings;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A packet that this radio of ours sent was heard by another of ours. */
  readonly onOverheard: (radio: string, packetId: number) => void;
}

/**
 * Puts what the radios hear into the inbox. One per engine. Invariant: a packet belongs to the radio whose rooms it goes
 * to, whichever of ours heard it, so it gets there once.
 */
export class PacketIntake {
  readonly known: KnownRadios;
  readonly #options: PacketIntakeOptions;
  readonly #receptions: Receptions;

  constructor(options: PacketIntakeOptions) {
    this.#options = options;
    this.known = new KnownRadios(options);
    this.#receptions = new Receptions(options.logger);
  }

  /** Row id in the inbox, or null for a packet that was heard before. Call inside a transaction. */
  add(radio: RadioPort, packet: MeshPacket): number | null {
    const { store, clock, settings, radios, onOverheard } = this.#options;
    if (radios.size === 1) return store.inbox.addPacket(radio.name, packet, clock.now());
    const home = homeOf(radio.name, packet, { settings, radioInfo: (name) => this.known.info(name) });
    this.#receptions.note(radio.name, packet);
    for (const name of radios.keys()) {
      if (name !== radio.name && this.known.info(name)?.nodeNum === packet.from) onOverheard(name, packet.id);
    }
    return store.inbox.addPacket(home.radio, { ...packet, channel: home.channel }, clock.now(), home.radio);
  }
}
