import type { RadioPort } from '../../relay/ports.ts';
import type { ValueStore } from '../../relay/store-port.ts';
import type { Clock } from '../../util/clock.ts';
import type { Logger } from '../../util/logger.ts';
import { RelayError } from '../../util/relay-error.ts';

export interface RadioReleasesOptions {
  readonly radios: ReadonlyMap<string, RadioPort>;
  readonly values: ValueStore;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A radio that can be let go. */
type Releasable = RadioPort & Required<Pick<RadioPort, 'release' | 'claim'>>;

/** Shorter is of no use; longer is a change of the configuration. */
const SHORTEST_MS = 10_000;
const LONGEST_MS = 7 * 86_400_000;

/**
 * Which radios the relay has let go for somebody else, and until when. One per daemon. The times are in the store, so
 * that a restart does not take a radio from under its guest; the radio itself takes up the link when the time is over.
 * Invariant: every release has an end.
 */
export class RadioReleases {
  readonly #options: RadioReleasesOptions;

  constructor(options: RadioReleasesOptions) {
    this.#options = options;
  }

  /** Lets go again what an earlier run had let go. Before the radios start, so that none is touched. */
  restore(): void {
    const { radios, clock, logger } = this.#options;
    for (const radio of radios.values()) {
      const untilMs = this.#kept(radio.name);
      if (untilMs === null || !isReleasable(radio)) continue;
      logger.info('The radio stays released', { radio: radio.name, until: isoTime(untilMs) });
      void radio.release(untilMs - clock.now());
    }
  }

  /**
   * Frees a radio for that long, 10 s to 7 days; `name` null is the only one. Resolves when it is free.
   * @throws RelayError RADIO_UNKNOWN, RADIO_NOT_RELEASABLE, RADIO_RELEASE_TIME
   */
  async release(name: string | null, forMs: number): Promise<{ readonly radio: string; readonly untilMs: number }> {
    const { clock, values, logger } = this.#options;
    const radio = this.#radio(name);
    if (!(forMs >= SHORTEST_MS && forMs <= LONGEST_MS))
      throw new RelayError('RADIO_RELEASE_TIME', 'A radio is released for 10 s at least and 7 days at most');
    const untilMs = clock.now() + forMs;
    values.set(keyOf(radio.name), String(untilMs));
    logger.info('The radio is released', { radio: radio.name, until: isoTime(untilMs) });
    await radio.release(forMs);
    return { radio: radio.name, untilMs };
  }

  /** Takes a radio back before its time; `name` null is the only one that is released. @throws RelayError RADIO_UNKNOWN, RADIO_NOT_RELEASABLE, RADIO_NOT_RELEASED */
  claim(name: string | null): { readonly radio: string } {
    const { values, logger } = this.#options;
    const radio = this.#radio(name ?? this.#onlyReleased());
    if (this.untilMs(radio.name) === null)
      throw new RelayError('RADIO_NOT_RELEASED', `Radio ${radio.name} is not released`);
    values.delete(keyOf(radio.name));
    logger.info('The radio is taken back', { radio: radio.name });
    radio.claim();
    return { radio: radio.name };
  }

  /** Until when this radio is somebody else's; null when it is ours. */
  untilMs(name: string): number | null {
    return this.#options.radios.get(name)?.state().status === 'stopped' ? this.#kept(name) : null;
  }

  #kept(name: string): number | null {
    const { values, clock } = this.#options;
    const untilMs = Number(values.get(keyOf(name)) ?? 0);
    // A time further off was written before the clock was set back.
    return untilMs > clock.now() && untilMs <= clock.now() + LONGEST_MS ? untilMs : null;
  }

  #onlyReleased(): string | null {
    const names = [...this.#options.radios.keys()].filter((name) => this.untilMs(name) !== null);
    return names.length === 1 ? (names[0] ?? null) : null;
  }

  #radio(name: string | null): Releasable {
    const { radios } = this.#options;
    const names = [...radios.keys()].join(', ');
    if (name === null && radios.size > 1) throw new RelayError('RADIO_UNKNOWN', `Which radio? There are ${names}`);
    const radio = name === null ? radios.values().next().value : radios.get(name);
    if (radio === undefined)
      throw new RelayError('RADIO_UNKNOWN', `There is no radio ${name ?? ''}; there is ${names}`);
    if (isReleasable(radio)) return radio;
    throw new RelayError(
      'RADIO_NOT_RELEASABLE',
      `Radio ${radio.name} is a link to a broker, which everybody can share`,
    );
  }
}

function isReleasable(radio: RadioPort): radio is Releasable {
  return radio.release !== undefined && radio.claim !== undefined;
}

function keyOf(name: string): string {
  return `radio_released_until:${name}`;
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
