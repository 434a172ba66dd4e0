import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';

const POLL_MS = 50;

/** Waits until `look` returns something that is not null; real counterparts take their time. */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | null> | T | null,
  timeoutMs = 30_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== null) return found;
    if (performance.now() > deadline) expect.fail(`${what} did not come within ${timeoutMs} ms`);
    await delay(POLL_MS);
  }
}
