import type { EventEmitter } from 'node:events';
import type { BindingType, Noble, Peripheral, WithBindingsOptions } from '@stoprocent/noble';
import type { Logger } from '../../util/logger.ts';
import { type BleFound, MESHTASTIC_GATT } from './central.ts';

/** Which way to Bluetooth. */
export interface NobleBinding {
  readonly kind: 'dbus' | 'hci' | 'default';
  /** A controller on a serial line instead of the system's own. */
  readonly uart: { readonly port: string; readonly baudRate: number } | null;
}

/** The package's types know neither its D-Bus binding nor that errors come out of its inside. */
export interface NobleInside {
  /** By peripheral, as long as noble knows it. */
  readonly _characteristics?: Readonly<Record<string, unknown>>;
  readonly _bindings?: EventEmitter & {
    readonly _bus?: EventEmitter;
    readonly _hci?: { readonly _socket?: EventEmitter & { readonly _serialDevice?: EventEmitter | null } };
    _state?: string | null;
    onStateChange?: (state: string) => void;
  };
}

/**
 * One running noble: one opened Bluetooth adapter. Single use: `stop` ends it, a fresh one heals whatever broke.
 * Holds the scanners. Invariants: the adapter scans while there is a scanner; nothing of it stays on `process`.
 */
export class NobleAdapter {
  readonly noble: Noble;
  readonly #logger: Logger;
  readonly #scanners = new Set<(found: BleFound) => void>();
  readonly #peripherals = new Map<string, Peripheral>();
  /** Noble's last complaint, which often says why it does nothing. */
  #complaint = '';
  #onBroken: (text: string) => void = () => undefined;

  private constructor(noble: Noble, logger: Logger) {
    this.noble = noble;
    this.#logger = logger;
  }

  /** Loads the package at its first use and opens the adapter. @throws Error when there is no such binding here */
  static async start(binding: NobleBinding, logger: Logger): Promise<NobleAdapter> {
    const { withBindings } = await import('@stoprocent/noble');
    const options: WithBindingsOptions =
      binding.uart === null ? {} : { hciDriver: 'uart', bindParams: { uart: binding.uart } };
    const noble = withBindings(binding.kind as BindingType, options);
    const adapter = new NobleAdapter(noble, logger);
    adapter.#begin();
    return adapter;
  }

  /** Resolves when the adapter is on. @throws Error when it never will be */
  async ready(signal: AbortSignal): Promise<void> {
    if (this.noble.state === 'poweredOn') return;
    await new Promise<void>((resolve, reject) => {
      const settle = (error: Error | null): void => {
        this.#onBroken = () => undefined;
        this.noble.removeListener('stateChange', onState);
        signal.removeEventListener('abort', onAbort);
        if (error === null) resolve();
        else reject(error);
      };
      const onState = (state: string): void => {
        if (state === 'poweredOn') settle(null);
        if (state === 'unauthorized') settle(new Error('unauthorized'));
        if (state === 'unsupported')
          settle(new Error(`no usable Bluetooth adapter: ${this.#complaint || 'none found'}`));
      };
      const onAbort = (): void => settle(new Error('cancelled'));
      this.#onBroken = (text) => settle(new Error(`the Bluetooth adapter cannot be opened: ${text}`));
      signal.addEventListener('abort', onAbort, { once: true });
      this.noble.on('stateChange', onState);
      onState(this.noble.state);
    });
  }

  /** Reports peripherals until the signal aborts. */
  async scan(onFound: (found: BleFound) => void, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    this.#scanners.add(onFound);
    if (this.#scanners.size === 1) this.#startScan();
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    this.#scanners.delete(onFound);
    if (this.#scanners.size === 0 && this.noble.state === 'poweredOn') this.noble.stopScanning();
  }

  /** The peripheral of that address, if it was seen. */
  peripheral(address: string): Peripheral | null {
    return this.#peripherals.get(address) ?? null;
  }

  /** Closes the adapter. */
  stop(): void {
    this.#scanners.clear();
    try {
      this.noble.stop();
    } catch (error) {
      this.#logger.debug('bluetooth did not stop cleanly', { error: String(error) });
    }
    // Its serial port may still fail a write that is under way; without a listener that would end the process.
    const inside: NobleInside = this.noble as unknown as NobleInside;
    inside._bindings?._hci?._socket?._serialDevice?.on('error', () => undefined);
    this.noble.removeAllListeners();
    this.#peripherals.clear();
  }

  #begin(): void {
    this.noble.removeAllListeners('warning'); // Its own listener writes to the console.
    const complain = (text: unknown): void => {
      this.#complaint = String(text);
      this.#logger.debug('bluetooth', { warning: this.#complaint });
    };
    this.noble.on('warning', complain);
    this.noble.on('discover', (peripheral: Peripheral) => this.#onDiscover(peripheral));
    this.noble.on('scanStop', () => {
      // A connection stops the scan of the raw binding; who still looks must see on.
      if (this.#scanners.size > 0) setImmediate(() => this.#startScan());
    });
    const inside: NobleInside = this.noble as unknown as NobleInside;
    muteBinding(inside);
    dropLateAnswers(inside);
    const before = process.listeners('SIGINT');
    void this.noble.state; // Asking starts it.
    for (const listener of process.listeners('SIGINT')) {
      // Noble would end the process in the midst of our own orderly stop.
      if (!before.includes(listener)) process.removeListener('SIGINT', listener);
    }
    inside._bindings?.on('warning', complain);
    const onBroken = (text: unknown): void => {
      complain(text);
      this.#onBroken(String(text));
    };
    // Without a listener a broken bus connection would end the process.
    inside._bindings?._bus?.on('error', onBroken);
    inside._bindings?._hci?._socket?.on('error', onBroken);
  }

  #startScan(): void {
    if (this.#scanners.size === 0 || this.noble.state !== 'poweredOn') return;
    this.noble.startScanning([], true, (error) => {
      if (error) this.#logger.debug('bluetooth scan did not start', { error: error.message });
    });
  }

  #onDiscover(peripheral: Peripheral): void {
    const { advertisement, rssi } = peripheral;
    // Some systems hide addresses: then the id stands for it.
    const hasAddress = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(peripheral.address);
    const address = hasAddress ? peripheral.address.toUpperCase() : peripheral.id;
    this.#peripherals.set(address, peripheral);
    const isMeshtastic = (advertisement.serviceUuids ?? []).includes(MESHTASTIC_GATT.service);
    const found = { address, name: advertisement.localName || null, rssi, isMeshtastic };
    for (const scanner of [...this.#scanners]) scanner(found);
  }
}

/** The raw binding writes advice to standard output when there is no adapter; ours reaches the operator another way. */
function muteBinding({ _bindings: bindings }: NobleInside): void {
  const original = bindings?.onStateChange;
  if (bindings === undefined || original === undefined) return;
  bindings.onStateChange = (state) => {
    if (state !== 'unauthorized' && state !== 'unsupported') original.call(bindings, state);
    else if (bindings._state !== state) {
      bindings._state = state;
      bindings.emit('stateChange', state);
    }
  };
}

/** Answers of one peripheral, whose id comes first. */
const ANSWERS: ReadonlySet<string | symbol> = new Set([
  'servicesDiscovered',
  'includedServicesDiscover',
  'characteristicsDiscover',
  'characteristicsDiscovered',
  'descriptorsDiscover',
  'read',
  'write',
  'broadcast',
  'notify',
  'valueRead',
  'valueWrite',
]);

/**
 * A request that is under way when bluetoothd or the adapter goes is answered after noble has forgotten the peripheral.
 * Noble stumbles over that, in a promise that nobody holds, which would end the process.
 */
export function dropLateAnswers(inside: NobleInside): void {
  const bindings = inside._bindings;
  if (bindings === undefined) return;
  const emit = bindings.emit.bind(bindings);
  bindings.emit = (event: string | symbol, ...values: unknown[]): boolean => {
    const isLate = ANSWERS.has(event) && inside._characteristics?.[String(values[0])] === undefined;
    return isLate ? false : emit(event, ...values);
  };
}
