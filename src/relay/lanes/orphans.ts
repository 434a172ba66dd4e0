import type { RadioDelivery } from '../delivery.ts';
import { radioLane } from '../delivery.ts';
import type { OutboxRow, StorePort } from '../store-port.ts';
import type { RadioOutcome } from './radio-lane.ts';

export interface OrphanOptions {
  readonly store: StorePort;
  readonly nowMs: number;
  /** Lanes that look after their rows themselves. */
  readonly lanes: ReadonlyMap<string, unknown>;
  /** Called inside the transaction that changes the row. */
  readonly onOutcome: (row: OutboxRow, delivery: RadioDelivery, outcome: RadioOutcome) => void;
}

/** Ends what waits for a radio that left the configuration, once its age is up: nobody else would tell the senders. */
export function expireOrphans({ store, nowMs, lanes, onOutcome }: OrphanOptions): void {
  const rows = store.outbox.expired(nowMs).filter(({ lane }) => lane.startsWith(radioLane('')) && !lanes.has(lane));
  if (rows.length === 0) return;
  const reason = 'its radio is not in the configuration any more';
  store.transaction(() => {
    for (const row of rows) {
      store.outbox.update(row.rowId, { state: 'expired', lastError: reason });
      onOutcome(row, row.payload as unknown as RadioDelivery, { state: 'expired', reason });
    }
  });
}
