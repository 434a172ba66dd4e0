import type { Logger } from '../../util/logger.ts';
import { RETRY_LATER, RelayError } from '../../util/relay-error.ts';
import type { FoundRadio } from '../discovery.ts';
import type { Transport, TransportFactory, TransportHandlers } from './types.ts';

export interface AutoOptions {
  readonly logger: Logger;
  /** Looks around; ends early when the signal aborts. */
  readonly find: (signal: AbortSignal) => Promise<readonly FoundRadio[]>;
  readonly factoryOf: (found: FoundRadio) => TransportFactory;
}

/**
 * `connection_type: auto`: the only radio there is. One per configured radio. Invariant: once a radio was reached, it
 * stays the chosen one until the process ends, however many others turn up.
 */
export class AutoChoice {
  readonly #options: AutoOptions;
  #chosen: { readonly found: FoundRadio; readonly factory: TransportFactory } | null = null;

  constructor(options: AutoOptions) {
    this.#options = options;
  }

  transport(): Transport {
    const chosen = this.#chosen;
    if (chosen !== null) return chosen.factory();
    return new AutoTransport((signal) => this.#choose(signal));
  }

  async #choose(signal: AbortSignal): Promise<{ readonly transport: Transport; readonly onOpened: () => void }> {
    const { find, factoryOf, logger } = this.#options;
    const found = await find(signal);
    const [only] = found;
    if (only === undefined) throw nothing('no radio found: none on USB, none over Bluetooth, none in the network');
    if (found.length > 1) {
      const list = found.map(({ kind, target, name }) => `${kind} ${target}${name === null ? '' : ` (${name})`}`);
      throw nothing(`${found.length} radios found, name one of them: ${list.join(', ')}`);
    }
    const factory = factoryOf(only);
    const onOpened = (): void => {
      this.#chosen = { found: only, factory };
      logger.info('found one radio, using it', { kind: only.kind, target: only.target, node: only.name });
    };
    return { transport: factory(), onOpened };
  }
}

function nothing(why: string): RelayError {
  return new RelayError('RADIO_UNREACHABLE', `connection_type auto: ${why} ("mmrelay radios" lists them)`, {
    retry: RETRY_LATER,
  });
}

type Choice = { readonly transport: Transport; readonly onOpened: () => void };

/** Looks around first, then is the transport it found. One per connection. */
class AutoTransport implements Transport {
  readonly #choose: (signal: AbortSignal) => Promise<Choice>;
  readonly #abort = new AbortController();
  #used = false;
  #inner: Transport | null = null;

  constructor(choose: (signal: AbortSignal) => Promise<Choice>) {
    this.#choose = choose;
  }

  get framing(): 'stream' | 'packet' {
    return this.#inner?.framing ?? 'stream';
  }

  get label(): string {
    return this.#inner?.label ?? 'auto';
  }

  async open(handlers: TransportHandlers, signal: AbortSignal): Promise<void> {
    if (this.#used) throw nothing('this transport was used before');
    this.#used = true;
    const both = AbortSignal.any([signal, this.#abort.signal]);
    if (both.aborted) throw nothing('cancelled');
    const choice = await endsWith(both, this.#choose(both));
    this.#inner = choice.transport;
    await choice.transport.open(handlers, both);
    choice.onOpened();
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.#inner !== null) return this.#inner.write(bytes);
    const options = { retry: RETRY_LATER, certain: false };
    return Promise.reject(new RelayError('RADIO_WRITE_FAILED', 'the link is closed', options));
  }

  async close(): Promise<void> {
    this.#used = true;
    this.#abort.abort();
    await this.#inner?.close();
  }
}

/** The result of `work`, unless the signal aborts first. */
function endsWith<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(nothing('cancelled'));
    signal.addEventListener('abort', onAbort, { once: true });
    work.finally(() => signal.removeEventListener('abort', onAbort)).then(resolve, reject);
  });
}
