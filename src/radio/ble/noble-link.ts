import type { Characteristic, Peripheral } from '@stoprocent/noble';
import type { Clock } from '../../util/clock.ts';
import { type BleLink, type BleLinkHandlers, MESHTASTIC_GATT } from './central.ts';

/**
 * The largest ATT MTU there is. The raw binding takes the peer's figure for the negotiated one, which is the smaller of
 * both; asking for less than a peer that offers 517 (as ESP32 radios do) would cut every longer value.
 */
const ATT_MTU = 517;

/** What the package's types leave out. */
interface ConnectsWithOptions {
  connectAsync(options: { readonly mtu: number }): Promise<void>;
}

/** A peer that does not confirm the end in this time is taken as gone. */
const DISCONNECT_MS = 3_000;

/**
 * Connects, finds the Meshtastic characteristics and subscribes to fromNum.
 * @throws Error with the stack's words, also when the signal aborts
 */
export async function connectPeripheral(
  peripheral: Peripheral,
  options: { readonly handlers: BleLinkHandlers; readonly signal: AbortSignal; readonly clock: Clock },
): Promise<BleLink> {
  const { handlers, signal, clock } = options;
  const link = new NobleLink(peripheral, handlers, clock);
  const onAbort = (): void => {
    if (peripheral.state === 'connecting') peripheral.cancelConnect();
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const connectable: ConnectsWithOptions = peripheral;
    if (peripheral.state !== 'connected') await connectable.connectAsync({ mtu: ATT_MTU });
    signal.throwIfAborted();
    await link.discover();
    signal.throwIfAborted();
    return link;
  } catch (error) {
    await link.disconnect();
    throw error instanceof Error ? error : new Error(String(error));
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** One GATT connection. Adds listeners to the peripheral, which noble keeps, and takes each of them away again. */
class NobleLink implements BleLink {
  readonly #peripheral: Peripheral;
  readonly #handlers: BleLinkHandlers;
  readonly #clock: Clock;
  readonly #onDisconnect: (reason: unknown) => void;
  readonly #onData: (data: Uint8Array, isNotification: boolean) => void;
  #toRadio: Characteristic | null = null;
  #fromRadio: Characteristic | null = null;
  #fromNum: Characteristic | null = null;
  #ended: Promise<void> | null = null;

  constructor(peripheral: Peripheral, handlers: BleLinkHandlers, clock: Clock) {
    this.#peripheral = peripheral;
    this.#handlers = handlers;
    this.#clock = clock;
    this.#onData = (_data, isNotification) => {
      if (isNotification && this.#ended === null) this.#handlers.onNotify();
    };
    this.#onDisconnect = (reason) => {
      if (this.#ended !== null) return;
      this.#ended = Promise.resolve();
      this.#unlisten();
      this.#handlers.onLost(`the Bluetooth link was lost (${disconnectText(reason)})`);
    };
    peripheral.once('disconnect', this.#onDisconnect);
  }

  get mtu(): number | null {
    return this.#peripheral.mtu;
  }

  async discover(): Promise<void> {
    const { service, toRadio, fromRadio, fromNum } = MESHTASTIC_GATT;
    const { characteristics } = await this.#peripheral.discoverSomeServicesAndCharacteristicsAsync(
      [service],
      [toRadio, fromRadio, fromNum],
    );
    const named = (uuid: string): Characteristic => {
      const found = characteristics.find((characteristic) => characteristic.uuid === uuid);
      if (found === undefined) throw new Error('the device has no Meshtastic service');
      return found;
    };
    this.#toRadio = named(toRadio);
    this.#fromRadio = named(fromRadio);
    this.#fromNum = named(fromNum);
    this.#fromNum.on('data', this.#onData);
    await this.#fromNum.subscribeAsync();
  }

  async read(): Promise<Uint8Array> {
    return (await this.#fromRadio?.readAsync()) ?? new Uint8Array(0);
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#toRadio?.writeAsync(Buffer.from(bytes), false);
  }

  disconnect(): Promise<void> {
    this.#ended ??= this.#disconnect();
    return this.#ended;
  }

  async #disconnect(): Promise<void> {
    this.#unlisten();
    if (this.#peripheral.state !== 'connected') return;
    await new Promise<void>((resolve) => {
      const settle = (): void => {
        cancelTimeout();
        this.#peripheral.removeListener('disconnect', settle);
        resolve();
      };
      const cancelTimeout = this.#clock.after(DISCONNECT_MS, settle);
      this.#peripheral.once('disconnect', settle);
      this.#peripheral.disconnect();
    });
  }

  #unlisten(): void {
    this.#peripheral.removeListener('disconnect', this.#onDisconnect);
    this.#fromNum?.removeListener('data', this.#onData);
  }
}

/** HCI status codes that people meet, in words (Core Specification Vol 1 Part F). */
const HCI_REASONS: Readonly<Record<number, string>> = {
  3: 'the adapter failed',
  5: 'insufficient authentication',
  6: 'PIN or key missing',
  8: 'out of reach or switched off',
  19: 'ended by the radio',
  20: 'ended by the radio: low on memory',
  21: 'the radio is switching off',
  22: 'ended by this side',
  62: 'failed to be established',
};

function disconnectText(reason: unknown): string {
  if (typeof reason === 'number') return HCI_REASONS[reason] ?? `HCI status 0x${reason.toString(16)}`;
  return reason === 'cleanup' ? 'the adapter went away' : String(reason);
}
