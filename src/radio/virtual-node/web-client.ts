import type { Clock } from '../../util/clock.ts';
import { type ClientHandlers, MAX_UNREAD_BYTES, NODE_STOPS, type NodeClient, UNREAD } from './node-client.ts';

/** A browser asks every three seconds, in a tab in the background once a minute. */
const AWAY_MS = 180_000;

export interface WebClientOptions {
  readonly name: string;
  readonly address: string;
  readonly clock: Clock;
  readonly handlers: ClientHandlers;
}

/**
 * A browser that asks over HTTP, again and again. One per origin and address. Holds what it has not fetched yet.
 * Invariants: one that no longer asks is forgotten after some minutes, and before it costs more than a megabyte.
 */
export class WebClient implements NodeClient {
  readonly name: string;
  readonly address: string;
  isListening = false;
  awaitedNonce: number | null = null;
  isToldOfAdmin = false;
  readonly #clock: Clock;
  readonly #handlers: ClientHandlers;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #cancelAway: () => void = () => undefined;
  #isClosed = false;

  constructor({ name, address, clock, handlers }: WebClientOptions) {
    this.name = name;
    this.address = address;
    this.#clock = clock;
    this.#handlers = handlers;
    this.#armAway();
  }

  /** One ToRadio. */
  put(payload: Uint8Array): void {
    this.#armAway();
    this.#handlers.onRequest(payload, this);
  }

  /** The next FromRadio, or all that wait, one behind the other as firmware gives them; empty when there is none. */
  take(isAll: boolean): Uint8Array {
    this.#armAway();
    const taken = this.#waiting.splice(0, isAll ? this.#waiting.length : 1);
    const bytes = Buffer.concat(taken);
    this.#waitingBytes -= bytes.length;
    return bytes;
  }

  send(payloads: readonly Uint8Array[]): void {
    if (this.#isClosed) return;
    for (const payload of payloads) {
      this.#waiting.push(payload);
      this.#waitingBytes += payload.length;
    }
    if (this.#waitingBytes > MAX_UNREAD_BYTES) this.close(UNREAD);
  }

  close(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cancelAway();
    this.#handlers.onClosed(this, reason);
  }

  destroy(): void {
    this.close(NODE_STOPS);
  }

  #armAway(): void {
    this.#cancelAway();
    if (this.#isClosed) return;
    this.#cancelAway = this.#clock.after(AWAY_MS, () => this.close('it no longer asks'), { background: true });
  }
}
