import type { Socket } from 'node:net';
import { encodeFrame, FrameDecoder } from '../codec/framing.ts';

/** A whole configuration with 2000 nodes is a third of this; a client that lets more pile up does not read. */
const MAX_UNREAD_BYTES = 1_048_576;
const KEEPALIVE_MS = 30_000;

export interface ClientLinkOptions {
  readonly socket: Socket;
  /** One ToRadio of the client. */
  readonly onRequest: (payload: Uint8Array, link: ClientLink) => void;
  /** Once, whatever ended it. */
  readonly onClosed: (link: ClientLink, reason: string) => void;
}

/**
 * One client's TCP connection. Holds the socket and the frame decoder.
 * Invariants: a client that does not read is cut off before it costs more than a megabyte; nothing is called after
 * `onClosed`.
 */
export class ClientLink {
  /** Unique among the clients there are. */
  readonly name: string;
  readonly address: string;
  /** It asked for the configuration: from then on it gets what the radio says. */
  isListening = false;
  /** The want_config that waits until the radio has told its configuration; null for none. */
  awaitedNonce: number | null = null;
  /** It was told in words that it may not change settings: once is enough. */
  isToldOfAdmin = false;
  readonly #options: ClientLinkOptions;
  readonly #decoder: FrameDecoder;
  #isClosed = false;

  constructor(options: ClientLinkOptions) {
    this.#options = options;
    const { socket, onRequest } = options;
    this.address = (socket.remoteAddress ?? '').replace(/^::ffff:/, '');
    this.name = `${this.address}:${socket.remotePort ?? 0}`;
    this.#decoder = new FrameDecoder({
      onFrame: (payload) => {
        onRequest(payload, this);
        return true;
      },
    });
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEPALIVE_MS);
    socket.on('data', (chunk: Uint8Array) => this.#decoder.push(chunk));
    // The close event that follows says all we need.
    socket.on('error', () => undefined);
    socket.on('end', () => this.close('the client left'));
    socket.on('close', () => this.close('the connection ended'));
  }

  /** Writes FromRadio protobufs, in order. */
  send(payloads: readonly Uint8Array[]): void {
    if (!this.#isClosed) this.sendFramed(Buffer.concat(payloads.map((payload) => encodeFrame(payload))));
  }

  /** As `send`, for bytes that several clients get. */
  sendFramed(bytes: Uint8Array): void {
    if (this.#isClosed) return;
    const { socket } = this.#options;
    socket.write(bytes);
    if (socket.writableLength <= MAX_UNREAD_BYTES) return;
    this.close('it did not read what the radio said');
    socket.destroy();
  }

  /** Ends it after what was written. */
  close(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#decoder.stop();
    const { socket, onClosed } = this.#options;
    socket.end(() => socket.destroy());
    socket.resume();
    onClosed(this, reason);
  }

  /** Ends it now. */
  destroy(): void {
    this.close('the virtual node stops');
    this.#options.socket.destroy();
  }
}
