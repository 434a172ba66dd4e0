import { createConnection, type Socket } from 'node:net';
import type { Clock } from '../../util/clock.ts';
import { errorText, type RelayError } from '../../util/relay-error.ts';
import { localNameLookup } from '../mdns/lookup.ts';
import { unreachable, writeFailed } from './link-error.ts';
import type { TcpAddress, Transport, TransportHandlers } from './types.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const KEEPALIVE_DELAY_MS = 30_000;

/** Errors by which the other side ends a link that works: firmware resets when it stops a client. */
const PEER_CODES: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE']);

const CONNECT_ADVICE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the device answers, but nothing listens on that port (is its network API on?)',
  ENOTFOUND: 'no such host name',
  EAI_AGAIN: 'the host name cannot be looked up at the moment',
  EHOSTUNREACH: 'no route to that address (is the device switched on?)',
  ENETUNREACH: 'no network',
  ETIMEDOUT: 'no answer (is the device switched on?)',
};

/** TCP to a radio's network API. One per connection; holds the socket. */
export class TcpTransport implements Transport {
  readonly framing = 'stream';
  readonly label: string;
  readonly #address: TcpAddress;
  readonly #clock: Clock;
  #socket: Socket | null = null;
  #closed = false;

  constructor(address: TcpAddress, clock: Clock) {
    this.#address = address;
    this.#clock = clock;
    this.label = `tcp ${address.host}:${address.port}`;
  }

  async open(handlers: TransportHandlers, signal: AbortSignal): Promise<void> {
    if (this.#socket !== null || this.#closed) throw unreachable(this.label, 'this transport was used before');
    if (signal.aborted) throw unreachable(this.label, 'cancelled');
    const { host, port } = this.#address;
    const socket = createConnection({
      host,
      port,
      lookup: localNameLookup(this.#clock),
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEPALIVE_DELAY_MS,
    });
    this.#socket = socket;
    await this.#connected(socket, signal);
    this.#attach(socket, handlers);
  }

  write(bytes: Uint8Array): Promise<void> {
    const socket = this.#socket;
    if (socket === null || this.#closed || !socket.writable)
      return Promise.reject(writeFailed(this.label, 'the link is closed'));
    return new Promise((resolve, reject) => {
      socket.write(bytes, (error) => {
        if (error) reject(writeFailed(this.label, errorText(error), error));
        else resolve();
      });
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    const socket = this.#socket;
    if (socket === null || socket.closed) return;
    await new Promise<void>((resolve) => {
      socket.once('close', () => resolve());
      socket.destroy();
    });
  }

  #connected(socket: Socket, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const finish = (error: RelayError | null): void => {
        cancelTimeout();
        signal.removeEventListener('abort', onAbort);
        socket.off('connect', onConnect).off('error', onError).off('close', onClose);
        if (error === null) {
          resolve();
          return;
        }
        socket.on('error', () => undefined); // A destroyed socket may still report; the first error is the one told.
        socket.destroy();
        reject(error);
      };
      const onConnect = (): void => finish(null);
      const onError = (error: NodeJS.ErrnoException): void =>
        finish(unreachable(this.label, CONNECT_ADVICE[error.code ?? ''] ?? errorText(error), error));
      const onClose = (): void => finish(unreachable(this.label, 'closed while connecting'));
      const onAbort = (): void => finish(unreachable(this.label, 'cancelled'));
      const cancelTimeout = this.#clock.after(CONNECT_TIMEOUT_MS, () =>
        finish(unreachable(this.label, `no answer in ${CONNECT_TIMEOUT_MS / 1000} s (is the device switched on?)`)),
      );
      signal.addEventListener('abort', onAbort, { once: true });
      socket.once('connect', onConnect).once('error', onError).once('close', onClose);
    });
  }

  #attach(socket: Socket, handlers: TransportHandlers): void {
    let failure: NodeJS.ErrnoException | null = null;
    socket.on('data', (bytes) => {
      if (!this.#closed) handlers.onBytes(bytes);
    });
    socket.on('error', (error) => {
      failure = error;
    });
    socket.on('end', () => socket.destroy());
    socket.on('close', () => {
      if (this.#closed) return;
      this.#closed = true;
      const byPeer = failure === null || PEER_CODES.has(failure.code ?? '');
      const text =
        failure === null ? 'the radio closed the connection' : `connection lost (${failure.code ?? failure.message})`;
      handlers.onClose({ kind: byPeer ? 'peer' : 'failed', text });
    });
  }
}
