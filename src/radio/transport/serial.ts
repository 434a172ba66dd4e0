import { realpath } from 'node:fs/promises';
import type { Clock } from '../../util/clock.ts';
import { sleep } from '../../util/clock.ts';
import { errorText, type RelayError } from '../../util/relay-error.ts';
import type { SerialDriver, SerialLink } from '../serial/driver.ts';
import { absentText, busyText, forbiddenText, portHolders } from '../serial/open-advice.ts';
import type { SerialDevice, SystemRoots } from '../serial/ports.ts';
import { isSameUsb, type UsbIdentity } from '../serial/usb-boards.ts';
import { unreachable, writeFailed } from './link-error.ts';
import { Opening } from './opening.ts';
import type { Transport, TransportHandlers } from './types.ts';

const OPEN_TIMEOUT_MS = 10_000;

/** What the official clients send first: wakes a radio that sleeps, and flushes a frame it was cut off in. */
const WAKE_UP = new Uint8Array(32).fill(0xc3);

/** How long the official clients let it wake up. */
export const WAKE_UP_MS = 100;

/** The machine around a serial port; the real one is made in radio.ts, tests bring their own. */
export interface SerialSystem {
  readonly driver: SerialDriver;
  readonly roots: SystemRoots;
  readonly pid: number;
  listPorts(): Promise<readonly SerialDevice[]>;
}

/** What is remembered of one radio from one connection to the next: which device it was. */
export interface SerialMemory {
  usb: UsbIdentity | null;
}

export interface SerialOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly system: SerialSystem;
  readonly memory: SerialMemory;
  readonly wakeUpMs: number;
}

/** A serial port. One per connection; holds the open port. */
export class SerialTransport implements Transport {
  readonly framing = 'stream';
  readonly label: string;
  readonly #options: SerialOptions;
  readonly #opening: Opening;
  #state: 'new' | 'opening' | 'open' | 'closed' = 'new';
  #link: SerialLink | null = null;

  constructor(options: SerialOptions) {
    this.#options = options;
    this.label = `serial ${options.path}`;
    this.#opening = new Opening({
      clock: options.clock,
      timeoutMs: OPEN_TIMEOUT_MS,
      timeoutText: () => `the port did not open within ${OPEN_TIMEOUT_MS / 1000} s`,
      unreachable: (why) => unreachable(this.label, why),
    });
  }

  async open(handlers: TransportHandlers, signal: AbortSignal): Promise<void> {
    if (this.#state !== 'new') throw unreachable(this.label, 'this transport was used before');
    this.#state = 'opening';
    try {
      await this.#opening.run(signal, (given) => this.#openPort(handlers, given));
      this.#state = 'open';
    } catch (error) {
      this.#state = 'closed';
      throw error;
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#link === null || this.#state !== 'open') throw writeFailed(this.label, 'the link is closed');
    try {
      await this.#link.write(bytes);
    } catch (error) {
      throw writeFailed(this.label, errorText(error), error);
    }
  }

  async close(): Promise<void> {
    if (this.#state === 'opening') this.#opening.cancel('closed while opening');
    this.#state = 'closed';
    await this.#link?.close();
  }

  async #openPort(handlers: TransportHandlers, given: AbortSignal): Promise<void> {
    const { system, clock, wakeUpMs } = this.#options;
    const path = await this.#findPort();
    given.throwIfAborted();
    const link = await system.driver
      .open(path, {
        onBytes: (bytes) => {
          if (this.#state !== 'closed') handlers.onBytes(bytes);
        },
        onClose: (text) => {
          if (this.#state === 'open') handlers.onClose({ kind: 'failed', text });
          else this.#opening.cancel(text);
          this.#state = 'closed';
        },
      })
      .catch(async (error: unknown) => Promise.reject(await this.#explain(path, error)));
    if (given.aborted) {
      await link.close();
      return;
    }
    this.#link = link;
    try {
      await link.write(WAKE_UP);
      if (wakeUpMs > 0) await sleep(clock, wakeUpMs, given);
    } catch (error) {
      await link.close();
      throw unreachable(this.label, errorText(error), error);
    }
    if (given.aborted) await link.close();
  }

  /** The path to open now: the configured one, or where the same device has gone to. Remembers the device. */
  async #findPort(): Promise<string> {
    const { path, system, memory } = this.#options;
    const ports = await system.listPorts();
    const target = await realpath(path).catch(() => null); // Not there at the moment.
    if (target !== null) {
      memory.usb = ports.find((port) => port.path === target)?.usb ?? memory.usb;
      await this.#checkFree(target);
      return target;
    }
    const known = memory.usb;
    const moved = known === null ? [] : ports.filter(({ usb }) => isSameUsb(usb, known));
    const [only] = moved;
    if (only === undefined || moved.length > 1) throw unreachable(this.label, absentText(ports));
    await this.#checkFree(only.path);
    return only.path;
  }

  /** Other programs seldom lock the port, and two readers steal each other's bytes. */
  async #checkFree(path: string): Promise<void> {
    const { roots, pid } = this.#options.system;
    if (path.startsWith(`${roots.dev}/pts/`)) return; // Who made a pseudo-terminal keeps it open by right.
    const holders = await portHolders(roots, path, pid);
    if (holders.length > 0) throw unreachable(this.label, busyText(holders));
  }

  async #explain(path: string, error: unknown): Promise<RelayError> {
    const { roots } = this.#options.system;
    const text = errorText(error);
    if (/permission denied|EACCES|EPERM|not permitted/i.test(text)) {
      return unreachable(this.label, await forbiddenText(roots, path), error);
    }
    if (/cannot lock|busy|temporarily unavailable/i.test(text)) return unreachable(this.label, busyText([]), error);
    return unreachable(this.label, text, error);
  }
}
