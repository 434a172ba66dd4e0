/**
 * Events that wait in the SDK for their keys. One per session of DeviceCrypto; holds them with their listeners.
 * Invariant: at most MAX_AWAITED, of which the SDK would keep every one for ever.
 */

import type { MatrixEvent, MatrixEventEvent } from 'matrix-js-sdk';

/** As many as the relay keeps (relay/intake/unread-events.ts). */
const MAX_AWAITED = 2_000;

/** The SDK's own list, which its types keep to themselves. */
export interface PendingList {
  removeEventFromPendingList(event: MatrixEvent): void;
}

export class AwaitedEvents {
  readonly #pending: PendingList;
  readonly #decrypted: MatrixEventEvent.Decrypted;
  readonly #waiting = new Map<string, { readonly event: MatrixEvent; readonly stop: () => void }>();

  constructor(pending: PendingList, decrypted: MatrixEventEvent.Decrypted) {
    this.#pending = pending;
    this.#decrypted = decrypted;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Those of these senders, oldest first. */
  from(senders: readonly string[]): readonly MatrixEvent[] {
    return [...this.#waiting.values()].flatMap(({ event }) => (senders.includes(event.getSender() ?? '') ? event : []));
  }

  /** @param onAttempt called after each further attempt at it; true ends the waiting */
  wait(event: MatrixEvent, onAttempt: () => boolean): void {
    const id = event.getId() ?? '';
    this.#stop(id);
    const look = (): void => {
      if (onAttempt()) this.#stop(id);
    };
    const stop = (): void => {
      event.off(this.#decrypted, look);
      this.#pending.removeEventFromPendingList(event);
    };
    this.#waiting.set(id, { event, stop });
    event.on(this.#decrypted, look);
    look(); // the key may have come meanwhile
    const oldest = this.#waiting.keys().next();
    if (this.#waiting.size > MAX_AWAITED && !oldest.done) this.#stop(oldest.value);
  }

  #stop(id: string): void {
    this.#waiting.get(id)?.stop();
    this.#waiting.delete(id);
  }
}
