import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/**
 * The TCP port of a virtual radio, which can go away and come back on the same number. One per radio.
 */
export class Listener {
  readonly #host: string;
  readonly #onSocket: (socket: Socket) => void;
  #port: number;
  readonly #sockets = new Set<Socket>();
  #server: Server | null = null;

  constructor(options: { readonly host: string; readonly port: number; readonly onSocket: (socket: Socket) => void }) {
    this.#host = options.host;
    this.#port = options.port;
    this.#onSocket = options.onSocket;
  }

  get port(): number {
    return this.#port;
  }

  /** Rejects when the port is taken. */
  async open(): Promise<void> {
    if (this.#server !== null) return;
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      this.#onSocket(socket);
    });
    this.#server = server;
    server.listen(this.#port, this.#host);
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
  }

  /** New connections are refused from now on, open ones are destroyed. */
  async close(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    const closed = once(server, 'close');
    server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
