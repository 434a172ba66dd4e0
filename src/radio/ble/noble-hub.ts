import { existsSync } from 'node:fs';
import { systemClock } from '../../util/clock.ts';
import type { Logger } from '../../util/logger.ts';
import { errorText } from '../../util/relay-error.ts';
import type { BleFound, BleHub, BleLease, BleLink, BleLinkHandlers } from './central.ts';
import { NobleAdapter, type NobleBinding } from './noble-adapter.ts';
import { connectPeripheral } from './noble-link.ts';

const SYSTEM_BUS = '/run/dbus/system_bus_socket';

export interface NobleHubOptions {
  /** `auto`: BlueZ over D-Bus where there is a system bus, else the raw adapter. */
  readonly binding: NobleBinding | 'auto';
  readonly logger: Logger;
}

/** Bluetooth by noble. Nothing is loaded before the first lease. */
export function createNobleHub(options: NobleHubOptions): BleHub {
  return new NobleHub(options);
}

interface Running {
  readonly adapter: Promise<NobleAdapter>;
  users: number;
}

/**
 * Shares one opened adapter among the leases and closes it with the last of them, so that the next attempt of a lonely
 * radio always begins with a fresh one: that heals an adapter unplugged, switched off or reset, and a bluetoothd that
 * was restarted. One per process. Invariant: an adapter is running exactly while it has users.
 */
class NobleHub implements BleHub {
  readonly #options: NobleHubOptions;
  #current: Running | null = null;

  constructor(options: NobleHubOptions) {
    this.#options = options;
  }

  async lease(): Promise<BleLease> {
    this.#current ??= { adapter: this.#start(), users: 0 };
    const running = this.#current;
    running.users += 1;
    try {
      return new NobleLease(await running.adapter, (isSuspect) => this.#release(running, isSuspect));
    } catch (error) {
      await this.#release(running, true);
      throw error;
    }
  }

  async #start(): Promise<NobleAdapter> {
    const { binding } = this.#options;
    const logger = this.#options.logger.child('bluetooth');
    if (binding !== 'auto') return NobleAdapter.start(binding, logger);
    if (process.platform !== 'linux') return NobleAdapter.start({ kind: 'default', uart: null }, logger);
    if (existsSync(SYSTEM_BUS)) {
      try {
        return await NobleAdapter.start({ kind: 'dbus', uart: null }, logger);
      } catch (error) {
        logger.debug('no Bluetooth over D-Bus, trying the raw adapter', { error: errorText(error) });
      }
    }
    return NobleAdapter.start({ kind: 'hci', uart: null }, logger);
  }

  async #release(running: Running, isSuspect: boolean): Promise<void> {
    running.users -= 1;
    if (this.#current === running && (isSuspect || running.users === 0)) this.#current = null;
    if (running.users > 0) return;
    const adapter = await running.adapter.catch(() => null); // It never started.
    adapter?.stop();
  }
}

class NobleLease implements BleLease {
  readonly #adapter: NobleAdapter;
  readonly #giveBack: (isSuspect: boolean) => Promise<void>;

  constructor(adapter: NobleAdapter, giveBack: (isSuspect: boolean) => Promise<void>) {
    this.#adapter = adapter;
    this.#giveBack = giveBack;
  }

  ready(signal: AbortSignal): Promise<void> {
    return this.#adapter.ready(signal);
  }

  scan(onFound: (found: BleFound) => void, signal: AbortSignal): Promise<void> {
    return this.#adapter.scan(onFound, signal);
  }

  async connect(found: BleFound, handlers: BleLinkHandlers, signal: AbortSignal): Promise<BleLink> {
    const peripheral = this.#adapter.peripheral(found.address);
    if (peripheral === null) throw new Error(`the peripheral ${found.address} was not seen`);
    return connectPeripheral(peripheral, { handlers, signal, clock: systemClock });
  }

  release(isSuspect: boolean): Promise<void> {
    return this.#giveBack(isSuspect);
  }
}
