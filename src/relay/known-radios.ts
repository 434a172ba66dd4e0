import type { RadioInfo, RadioPort } from './ports.ts';
import type { StorePort } from './store-port.ts';

/**
 * What our radios told of themselves, also when they are away since before our start: to stand in for a radio one must
 * know its channels. One per engine; the store holds what was told last.
 */
export class KnownRadios {
  readonly #store: StorePort;
  readonly #radios: ReadonlyMap<string, RadioPort>;

  constructor({ store, radios }: { readonly store: StorePort; readonly radios: ReadonlyMap<string, RadioPort> }) {
    this.#store = store;
    this.#radios = radios;
  }

  /** A radio has told. With one radio there is nobody to stand in, and nothing is kept. */
  onInfo(name: string, info: RadioInfo): void {
    if (this.#radios.size > 1) this.#store.values.set(keyOf(name), JSON.stringify(info));
  }

  /** null for a radio that was never reached. */
  info(name: string): RadioInfo | null {
    const live = this.#radios.get(name)?.info() ?? null;
    if (live !== null) return live;
    const kept = this.#store.values.get(keyOf(name));
    return kept === null ? null : (JSON.parse(kept) as RadioInfo);
  }
}

function keyOf(name: string): string {
  return `radio_info:${name}`;
}
