import { radioLane } from '../delivery.ts';
import type { RadioInfo } from '../ports.ts';
import type { StorePort } from '../store-port.ts';

const PREFIX = 'boots:';

/**
 * A radio has restarted: what waits for its acknowledgement may have been lost with its memory, and is offered again.
 * Under its old id, so nodes that have it take it once.
 */
export function onRestart(radio: string, store: StorePort): void {
  store.outbox.requeueSent(radioLane(radio));
}

/** Notices by the radio's own count that it has restarted since we last heard, perhaps while we were away. */
export function noteBoots(radio: string, { nodeNum, bootCount = 0 }: RadioInfo, store: StorePort): void {
  const before = store.values.get(PREFIX + radio);
  const now = `${nodeNum}/${bootCount}`;
  if (before === now) return;
  store.transaction(() => {
    store.values.set(PREFIX + radio, now);
    // Another radio under the old name has taken nothing yet, and its ids are not ours.
    if (before?.startsWith(`${nodeNum}/`)) onRestart(radio, store);
  });
}
