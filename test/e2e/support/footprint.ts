import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'vitest';
import { eventually } from './eventually.ts';

/** Far below what a kept link, decoder or listener a connection would add up to. */
const MAX_GROWTH_BYTES = 6_291_456;

/** How many reconnects a test of them makes: a thousand with MMRELAY_E2E_FULL=1. */
export const RECONNECTS = process.env.MMRELAY_E2E_FULL === '1' ? 1_000 : 25;

/** Reconnects again and again; no listener, no handle and no memory may stay behind. */
export async function leavesNothingBehind(what: string, reconnect: () => Promise<void>): Promise<void> {
  await reconnect();
  const before = held();
  const heapBefore = heapAfterCollection();
  let heapHalfway = heapBefore;
  for (let round = 0; round < RECONNECTS; round += 1) {
    await reconnect();
    if (round === Math.floor(RECONNECTS / 2)) heapHalfway = heapAfterCollection();
  }
  await eventually('the handles of the start', () => (held() === before ? true : null));
  const heapAfter = heapAfterCollection();
  const [firstKib, secondKib] = [heapHalfway - heapBefore, heapAfter - heapHalfway].map((bytes) =>
    Math.round(bytes / 1024),
  );
  console.info(`${RECONNECTS} ${what}: heap ${firstKib} KiB more in the first half, ${secondKib} KiB in the second`);
  expect(heapAfter - heapBefore).toBeLessThan(MAX_GROWTH_BYTES);
}

function held(): string {
  const listeners = process.eventNames().map((event) => [String(event), process.listenerCount(event)]);
  const handles = process.getActiveResourcesInfo().filter((kind) => kind !== 'Timeout' && kind !== 'Immediate');
  return JSON.stringify([listeners, handles.length]);
}

/** Bytes, garbage taken away. */
function heapAfterCollection(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}
