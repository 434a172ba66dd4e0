import { existsSync } from 'node:fs';
import type { SerialPort } from 'serialport';
import type { SerialDriver, SerialLink, SerialLinkHandlers } from './driver.ts';
import { listLinuxPorts, type SerialDevice, SYSTEM_ROOTS } from './ports.ts';
import { boardOf } from './usb-boards.ts';

const BAUD_RATE = 115_200;
/** How often it is looked whether the port is still there. */
const GONE_CHECK_MS = 1_000;

/**
 * The real thing. The package is loaded at the first open, so that a relay over TCP does not carry it.
 * DTR and RTS stay as the kernel sets them on open, both on, and are not dropped on close (`hupcl`): a change of one
 * alone is what resets an ESP32 board.
 */
export const serialPortDriver: SerialDriver = {
  async open(path, handlers) {
    const { SerialPort: Port } = await import('serialport');
    const port = new Port({ path, baudRate: BAUD_RATE, autoOpen: false, lock: true, hupcl: false, rtscts: false });
    await new Promise<void>((resolve, reject) => port.open((error) => (error ? reject(error) : resolve())));
    return new OpenPort(port, path, handlers);
  },
};

/** An open port. One per link; knows the writes under way, because the package forgets them when the port closes. */
class OpenPort implements SerialLink {
  readonly #port: SerialPort;
  readonly #pending = new Set<(error: Error) => void>();
  readonly #watch: NodeJS.Timeout;
  #closing: Promise<void> | null = null;

  constructor(port: SerialPort, path: string, handlers: SerialLinkHandlers) {
    this.#port = port;
    // When the last bytes and the hang-up come together, the package reads "nothing" for ever and tells nobody: that
    // the port is gone from /dev has to be seen by ourselves.
    this.#watch = setInterval(() => {
      // COM ports of Windows are no files.
      if (path.startsWith('/') && !existsSync(path)) port.close(() => undefined);
    }, GONE_CHECK_MS).unref();
    let failure: Error | null = null;
    port.on('data', (bytes: Buffer) => {
      if (this.#closing === null) handlers.onBytes(bytes);
    });
    port.on('error', (error) => {
      failure = error;
    });
    port.on('close', () => {
      this.#abandon();
      if (this.#closing !== null) return;
      this.#closing = Promise.resolve();
      handlers.onClose(failure === null ? 'the port went away (unplugged?)' : `the port failed: ${failure.message}`);
    });
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.#closing !== null) return Promise.reject(new Error('the port is closed'));
    return new Promise((resolve, reject) => {
      this.#pending.add(reject);
      this.#port.write(Buffer.from(bytes), (error) => {
        this.#pending.delete(reject);
        if (error) reject(error);
        else resolve();
      });
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#abandon();
    if (!this.#port.isOpen) return;
    // An error here means that the device has gone: nothing is left to close.
    await new Promise<void>((resolve) => this.#port.close(() => resolve()));
  }

  #abandon(): void {
    clearInterval(this.#watch);
    for (const reject of this.#pending) reject(new Error('the port was closed'));
    this.#pending.clear();
  }
}

/** The USB serial ports of this machine. */
export async function listSerialPorts(): Promise<readonly SerialDevice[]> {
  if (process.platform === 'linux') return listLinuxPorts(SYSTEM_ROOTS);
  const { SerialPort: Port } = await import('serialport');
  const ports = await Port.list();
  return ports.flatMap(({ path, vendorId, productId, serialNumber, manufacturer }) => {
    if (vendorId === undefined || productId === undefined) return [];
    const usb = {
      vendorId: vendorId.toLowerCase(),
      productId: productId.toLowerCase(),
      serialNumber: serialNumber ?? null,
    };
    return [{ path, byId: null, usb, product: manufacturer ?? null, board: boardOf(usb) }];
  });
}
