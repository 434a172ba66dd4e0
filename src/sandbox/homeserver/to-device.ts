import type { JsonObject } from '../../util/json.ts';
import type { Hub } from './hub.ts';

const MAX_PER_SYNC = 100;

interface Waiting {
  readonly pos: number;
  readonly message: JsonObject;
}

/**
 * Messages to devices. One per homeserver. Invariant: a message leaves only when its device syncs with a token at
 * or behind the message, so a client that crashed before it stored the token gets it again.
 */
export class ToDevice {
  readonly #hub: Hub;
  readonly #queues = new Map<string, Waiting[]>();

  constructor(hub: Hub) {
    this.#hub = hub;
  }

  put(userId: string, deviceId: string, message: JsonObject): void {
    const key = `${userId}\0${deviceId}`;
    const queue = this.#queues.get(key) ?? [];
    this.#queues.set(key, queue);
    queue.push({ pos: this.#hub.next(), message });
    this.#hub.notify();
  }

  /** Forgets what that position acknowledges. */
  acknowledge(userId: string, deviceId: string, pos: number): void {
    const key = `${userId}\0${deviceId}`;
    const queue = this.#queues.get(key);
    if (queue !== undefined)
      this.#queues.set(
        key,
        queue.filter((waiting) => waiting.pos > pos),
      );
  }

  /** What waits behind `pos`, and the position up to which this answer covers the queue. */
  read(
    userId: string,
    deviceId: string,
    untilPos: number,
  ): { readonly messages: readonly JsonObject[]; readonly pos: number } {
    const queue = (this.#queues.get(`${userId}\0${deviceId}`) ?? []).filter((waiting) => waiting.pos <= untilPos);
    const page = queue.slice(0, MAX_PER_SYNC);
    const last = page.at(-1);
    return {
      messages: page.map((waiting) => waiting.message),
      pos: last !== undefined && queue.length > page.length ? last.pos : untilPos,
    };
  }

  waiting(userId: string, deviceId: string): number {
    return this.#queues.get(`${userId}\0${deviceId}`)?.length ?? 0;
  }

  drop(userId: string, deviceId: string): void {
    this.#queues.delete(`${userId}\0${deviceId}`);
  }
}
