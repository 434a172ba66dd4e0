import type { Clock } from '../../util/clock.ts';
import { errorText, RelayError } from '../../util/relay-error.ts';
import { bleAdvice } from '../ble/advice.ts';
import type { BleFound, BleHub, BleLease, BleLink } from '../ble/central.ts';
import { isTarget, seenText } from '../ble/target.ts';
import { unreachable, writeFailed } from './link-error.ts';
import { Opening } from './opening.ts';
import type { Transport, TransportHandlers } from './types.ts';

const OPEN_TIMEOUT_MS = 50_000;

/** An adapter that is not on by then is opened afresh at the next attempt. */
const READY_MS = 10_000;

/** Radios advertise every second or two; a sleeping one less often. */
const SCAN_MS = 20_000;

/** An unanswered write or read: the link is dead although the stack does not say so. */
const GATT_TIMEOUT_MS = 15_000;

/** Some firmware answers a write only some time later, and notifies of packets alone: then we look again, as its app does. */
const LOOK_AGAIN_MS = 100;
const LOOKS_AFTER_WRITE = 5;

export interface BleOptions {
  /** Address or advertised name. */
  readonly target: string;
  readonly hub: BleHub;
  readonly clock: Clock;
}

/**
 * Bluetooth Low Energy by the Meshtastic GATT profile: one protobuf per read or write, fromNum says when to read.
 * One per connection; holds the lease of the adapter and the GATT link. Invariants: one read and one write at a time;
 * after `close` or a loss the lease is given back, exactly once.
 */
export class BleTransport implements Transport {
  readonly framing = 'packet';
  readonly label: string;
  readonly #options: BleOptions;
  readonly #opening: Opening;
  readonly #seen = new Map<string, BleFound>();
  #state: 'new' | 'opening' | 'open' | 'closed' = 'new';
  #link: BleLink | null = null;
  #handlers: TransportHandlers | null = null;
  #letGo: Promise<void> | null = null;
  #lease: BleLease | null = null;
  #writes: Promise<void> = Promise.resolve();
  #cancelWaits = new Set<(why: string) => void>();
  #reading = false;
  #readAgain = false;
  /** How often an empty read is to be repeated: set by a write, spent by reads. */
  #looks = 0;
  #wakeReader: () => void = () => undefined;

  constructor(options: BleOptions) {
    this.#options = options;
    this.label = `ble ${options.target}`;
    this.#opening = new Opening({
      clock: options.clock,
      timeoutMs: OPEN_TIMEOUT_MS,
      timeoutText: () => 'it was found but did not answer the connection (is it connected to a phone?)',
      unreachable: (why) => unreachable(this.label, why),
    });
  }

  async open(handlers: TransportHandlers, signal: AbortSignal): Promise<void> {
    if (this.#state !== 'new') throw unreachable(this.label, 'this transport was used before');
    this.#state = 'opening';
    this.#handlers = handlers;
    try {
      await this.#opening.run(signal, (given) => this.#connect(given));
      this.#state = 'open';
    } catch (error) {
      this.#state = 'closed';
      await this.#release(!signal.aborted && this.#seen.size === 0);
      throw error instanceof RelayError
        ? error
        : unreachable(this.label, bleAdvice(errorText(error), this.#options.target), error);
    }
    this.#drain(); // The subscription stands since before; what was notified meanwhile is read now.
  }

  write(bytes: Uint8Array): Promise<void> {
    const result = this.#writes.then(() => this.#writeNow(bytes));
    this.#writes = result.catch(() => undefined); // The caller hears of it; the next write has its own luck.
    return result;
  }

  async close(): Promise<void> {
    if (this.#state === 'opening') this.#opening.cancel('closed while opening');
    this.#state = 'closed';
    for (const cancel of this.#cancelWaits) cancel('the link was closed');
    await this.#release(false);
  }

  async #connect(signal: AbortSignal): Promise<void> {
    const lease = await this.#options.hub.lease();
    this.#lease = lease;
    if (signal.aborted) {
      await this.#release(false);
      return;
    }
    await this.#waitReady(lease, signal);
    const found = await this.#find(lease, signal);
    const handlers = { onNotify: () => this.#drain(), onLost: (text: string) => this.#lost(text) };
    const link = await lease.connect(found, handlers, signal);
    if (signal.aborted) await link.disconnect();
    this.#link = link;
  }

  async #waitReady(lease: BleLease, signal: AbortSignal): Promise<void> {
    const cancelTimeout = this.#options.clock.after(READY_MS, () =>
      this.#opening.cancel('the Bluetooth adapter is not ready (is it there, and on? "bluetoothctl show" tells)'),
    );
    await lease.ready(signal).finally(cancelTimeout);
  }

  /** Scans until the target shows up. @throws RelayError that lists what was seen instead */
  async #find(lease: BleLease, signal: AbortSignal): Promise<BleFound> {
    const { clock, target } = this.#options;
    const done = new AbortController();
    const stop = (): void => done.abort();
    signal.addEventListener('abort', stop, { once: true });
    const cancelTimeout = clock.after(SCAN_MS, stop);
    const hit: { found: BleFound | null } = { found: null };
    try {
      await lease.scan((found) => {
        this.#seen.set(found.address, found);
        if (hit.found !== null || !isTarget(target, found)) return;
        hit.found = found;
        stop();
      }, done.signal);
    } finally {
      cancelTimeout();
      signal.removeEventListener('abort', stop);
    }
    if (hit.found !== null) return hit.found;
    const seen = seenText([...this.#seen.values()]);
    throw unreachable(
      this.label,
      `not seen in a scan of ${SCAN_MS / 1000} s; ${seen} (a radio that serves a phone, or whose Wi-Fi is on, is not seen)`,
    );
  }

  /** Reads fromRadio until it is empty; a notification in the meantime makes it look once more. */
  #drain(): void {
    this.#readAgain = true;
    this.#wakeReader();
    if (this.#reading || this.#state !== 'open' || this.#link === null) return;
    this.#reading = true;
    void this.#readAll(this.#link);
  }

  async #readAll(link: BleLink): Promise<void> {
    try {
      while (this.#state === 'open') {
        this.#readAgain = false;
        const bytes = await this.#inTime(link.read(), 'a read');
        if (this.#state !== 'open') return;
        if (bytes.length > 0) {
          this.#looks = 0;
          this.#handlers?.onBytes(bytes);
        } else if (!this.#readAgain) {
          if (this.#looks === 0) return;
          this.#looks -= 1;
          await this.#nap();
        }
      }
    } catch (error) {
      this.#lost(bleAdvice(errorText(error), this.#options.target));
    } finally {
      this.#reading = false;
    }
  }

  /** Waits for LOOK_AGAIN_MS, a notification or the end of the link. */
  #nap(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#options.clock.after(LOOK_AGAIN_MS, resolve);
      this.#wakeReader = () => {
        cancel();
        resolve();
      };
    });
  }

  async #writeNow(bytes: Uint8Array): Promise<void> {
    if (this.#link === null || this.#state !== 'open') throw writeFailed(this.label, 'the link is closed');
    try {
      await this.#inTime(this.#link.write(bytes), 'a write');
    } catch (error) {
      const text = bleAdvice(errorText(error), this.#options.target);
      this.#lost(text);
      throw writeFailed(this.label, text, error);
    }
    this.#looks = LOOKS_AFTER_WRITE;
    this.#drain();
  }

  /** The stack's own promise may stay open for ever when the controller or the radio is gone. */
  async #inTime<T>(work: Promise<T>, what: string): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const giveUp = (why: string): void => {
        settle();
        reject(new Error(why));
      };
      const cancelTimeout = this.#options.clock.after(GATT_TIMEOUT_MS, () =>
        giveUp(`${what} was not answered for ${GATT_TIMEOUT_MS / 1000} s`),
      );
      const settle = (): void => {
        cancelTimeout();
        this.#cancelWaits.delete(giveUp);
      };
      this.#cancelWaits.add(giveUp);
      work.finally(settle).then(resolve, reject);
    });
  }

  #lost(text: string): void {
    if (this.#state === 'opening') this.#opening.cancel(text);
    if (this.#state !== 'open') return;
    this.#state = 'closed';
    for (const cancel of this.#cancelWaits) cancel('the link was lost');
    const handlers = this.#handlers;
    void this.#release(false);
    handlers?.onClose({ kind: 'failed', text });
  }

  #release(isSuspect: boolean): Promise<void> {
    this.#wakeReader();
    if (this.#lease === null) return Promise.resolve();
    this.#letGo ??= this.#giveBack(this.#lease, isSuspect);
    return this.#letGo;
  }

  async #giveBack(lease: BleLease, isSuspect: boolean): Promise<void> {
    // What fails here is a link or an adapter that has gone already.
    await this.#link?.disconnect().catch(() => undefined);
    await lease.release(isSuspect).catch(() => undefined);
  }
}
