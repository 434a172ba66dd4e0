import type { Clock } from '../../util/clock.ts';
import type { JsonObject } from '../../util/json.ts';

const MAX_PER_DEVICE = 20;

/**
 * Synapse remembers each /sync answer for two minutes (caches.sync_response_cache_duration): the same request of the
 * same device gets the same answer, whatever happened since. One per homeserver.
 */
export class SyncCache {
  readonly #clock: Clock;
  readonly #devices = new Map<string, Map<string, { readonly answer: JsonObject; readonly untilMs: number }>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get(device: string, request: string): JsonObject | null {
    const entry = this.#devices.get(device)?.get(request);
    return entry !== undefined && entry.untilMs > this.#clock.monotonic() ? entry.answer : null;
  }

  put(device: string, request: string, kept: { readonly answer: JsonObject; readonly forMs: number }): void {
    const answers = this.#devices.get(device) ?? new Map();
    this.#devices.set(device, answers);
    answers.delete(request);
    answers.set(request, { answer: kept.answer, untilMs: this.#clock.monotonic() + kept.forMs });
    const oldest = answers.keys().next().value;
    if (answers.size > MAX_PER_DEVICE && oldest !== undefined) answers.delete(oldest);
  }
}
