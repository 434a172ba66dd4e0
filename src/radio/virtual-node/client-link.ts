import type { Socket } from 'node:net';
import { encodeFrame, FrameDecoder } from '../codec/framing.ts';
import { type ClientHandlers, MAX_UNREAD_BYTES, NODE_STOPS, type NodeClient, UNREAD } from './node-client.ts';

const KEEPALIVE_MS = 30_000;

/**
 * One client's TCP connection. Holds the socket and the frame decoder.
 * Invariants: a client that does not read is cut off before it costs more than a megabyte; nothing is called after
 * `onClosed`.
 */
export class ClientLink implements NodeClient {
  readonly name: string;
  readonly address: string;
  isListening = false;
  awaitedNonce: number | null = null;
  isToldOfAdmin = false;
  readonly #socket: Socket;
  readonly #handlers: ClientHandlers;
  readonly #decoder: FrameDecoder;
  #isClosed = false;

  constructor(socket: Socket, handlers: ClientHandlers) {
    this.#socket = socket;
    this.#handlers = handlers;
    this.address = addressOf(socket);
    this.name = `${this.address}:${socket.remotePort ?? 0}`;
    this.#decoder = new FrameDecoder({
      onFrame: (payload) => {
        handlers.onRequest(payload, this);
        return true;
      },
    });
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEPALIVE_MS);
    socket.once('data', (first: Uint8Array) => {
      // A page that a person visits could hide frames in what their browser sends.
      if (speaksHttp(first)) this.close('it speaks HTTP: name its page in virtual_node.web_clients');
    });
    socket.on('data', (chunk: Uint8Array) => this.#decoder.push(chunk));
    // The close event that follows says all we need.
    socket.on('error', () => undefined);
    socket.on('end', () => this.close('the client left'));
    socket.on('close', () => this.close('the connection ended'));
  }

  send(payloads: readonly Uint8Array[]): void {
    if (this.#isClosed) return;
    const socket = this.#socket;
    socket.write(Buffer.concat(payloads.map((payload) => encodeFrame(payload))));
    if (socket.writableLength <= MAX_UNREAD_BYTES) return;
    this.close(UNREAD);
    socket.destroy();
  }

  close(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#decoder.stop();
    const socket = this.#socket;
    socket.end(() => socket.destroy());
    socket.resume();
    this.#handlers.onClosed(this, reason);
  }

  destroy(): void {
    this.close(NODE_STOPS);
    this.#socket.destroy();
  }
}

/** Whether a connection begins as HTTP does: with a letter, as no frame of the radio API. */
export function speaksHttp(first: Uint8Array): boolean {
  return /[A-Z]/.test(String.fromCharCode(first[0] ?? 0));
}

/** The far end's address, as an operator writes it. */
export function addressOf({ remoteAddress }: Pick<Socket, 'remoteAddress'>): string {
  return (remoteAddress ?? '').replace(/^::ffff:/, '');
}
