import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '../../util/clock.ts';
import { addressOf, speaksHttp } from './client-link.ts';
import type { ClientHandlers } from './node-client.ts';
import { WebClient } from './web-client.ts';

/** MAX_TO_FROM_RADIO_SIZE of the firmware. */
const MAX_REQUEST_BYTES = 512;
/** A connection on which nothing is said is no browser's that still asks. */
const QUIET_MS = 90_000;
const TO_RADIO = '/api/v1/toradio';
const FROM_RADIO = '/api/v1/fromradio';

export interface WebDoorOptions {
  /** Pages that may come in, as https://client.meshtastic.org. */
  readonly origins: readonly string[];
  readonly clock: Clock;
  readonly onJoined: (client: WebClient) => void;
  readonly handlers: ClientHandlers;
}

/**
 * The radio's HTTP API (ContentHandler.cpp of the firmware) on the port of the virtual node, for web clients. One per
 * virtual node. Holds the connections and the browsers behind them. Invariant: only pages of the configured origins get
 * an answer, since any page a person visits can reach what their browser reaches; what is no browser has the TCP API.
 */
export class WebDoor {
  readonly #options: WebDoorOptions;
  readonly #clients = new Map<string, WebClient>();
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((request, response) => {
    // What a request does to a socket that has gone is nobody's loss.
    this.#answer(request, response).catch(() => response.destroy());
  });

  constructor(options: WebDoorOptions) {
    this.#options = options;
  }

  /** Looks how a connection begins, and lets it in where it belongs. */
  enter(socket: Socket, otherwise: () => void): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    socket.on('error', () => undefined);
    socket.setTimeout(QUIET_MS, () => socket.destroy());
    socket.once('data', (first: Uint8Array) => {
      socket.pause();
      socket.unshift(first);
      if (speaksHttp(first)) {
        this.#server.emit('connection', socket);
      } else {
        this.#sockets.delete(socket);
        socket.removeAllListeners('timeout').setTimeout(0);
        otherwise();
      }
      process.nextTick(() => socket.resume());
    });
  }

  /** Ends all of it. The clients are told by who told them of us. */
  stop(): void {
    for (const socket of [...this.#sockets]) socket.destroy();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const origin = (request.headers.origin ?? '').toLowerCase();
    if (!this.#options.origins.includes(origin)) return reply(response, 403);
    response.setHeader('access-control-allow-origin', origin);
    response.setHeader('vary', 'origin');
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://radio');
    if (pathname !== TO_RADIO && pathname !== FROM_RADIO) return reply(response, 404);
    if (request.method === 'OPTIONS') {
      response.setHeader('access-control-allow-methods', 'GET, PUT, OPTIONS');
      response.setHeader('access-control-allow-headers', 'content-type, accept');
      response.setHeader('access-control-allow-private-network', 'true');
      return reply(response, 204);
    }
    const client = this.#clientOf(request.socket, origin);
    if (pathname === FROM_RADIO && request.method === 'GET')
      return reply(response, 200, client.take(searchParams.get('all') === 'true'));
    if (pathname !== TO_RADIO || request.method !== 'PUT') return reply(response, 405);
    const body = await read(request);
    if (body === null) return reply(response, 413);
    client.put(body);
    reply(response, 200, body);
  }

  #clientOf(socket: Socket, origin: string): WebClient {
    const { clock, handlers, onJoined } = this.#options;
    const address = addressOf(socket);
    const name = `${address} ${origin}`;
    const known = this.#clients.get(name);
    if (known !== undefined) return known;
    const onClosed: ClientHandlers['onClosed'] = (client, reason) => {
      this.#clients.delete(name);
      handlers.onClosed(client, reason);
    };
    const client = new WebClient({ name, address, clock, handlers: { ...handlers, onClosed } });
    this.#clients.set(name, client);
    onJoined(client);
    return client;
  }
}

/** null when it is larger than any ToRadio. */
async function read(request: IncomingMessage): Promise<Uint8Array | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_REQUEST_BYTES) return null;
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}

function reply(response: ServerResponse, status: number, body: Uint8Array = new Uint8Array(0)): void {
  const headers = { 'content-type': 'application/x-protobuf', 'cache-control': 'no-store' };
  response.writeHead(status, status === 204 ? {} : { ...headers, 'content-length': body.length });
  response.end(body);
}
