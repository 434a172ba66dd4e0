import type { DeliverySource, RadioDelivery } from '../delivery.ts';
import { radioLane } from '../delivery.ts';
import type { RadioPort, RoomEvent } from '../ports.ts';
import type { OutboxRow, StorePort } from '../store-port.ts';

export interface WithdrawOptions {
  readonly store: StorePort;
  readonly radios: ReadonlyMap<string, RadioPort>;
  /** The row's packet may be on the air although it still waits. */
  readonly isUndecided: (row: OutboxRow) => boolean;
  readonly onWithdrawn: (source: DeliverySource) => void;
}

/**
 * A message that was removed from its room while it waits for the air does not go out any more; one of which a part has
 * left does. Call inside the transaction that marks the removal done.
 * @returns whether it was taken back
 */
export function withdraw({ roomId, redacts }: RoomEvent, options: WithdrawOptions): boolean {
  const { store, radios, isUndecided, onWithdrawn } = options;
  if (redacts === null) return false;
  const lanes = [...radios.keys()].map(radioLane);
  const ours = store.links.byEvent(redacts).filter((link) => link.direction === 'to-mesh' && link.roomId === roomId);
  const rows = ours.map(({ packetId }) =>
    lanes.map((lane) => store.outbox.byPacketId(lane, packetId)).find((row) => row !== null),
  );
  const waiting = rows.filter((row) => row?.state === 'queued' && !row.begun && !isUndecided(row));
  if (rows.length === 0 || waiting.length < rows.length) return false;
  for (const row of waiting) {
    if (row === undefined) continue;
    store.outbox.update(row.rowId, { state: 'failed', lastError: 'removed before it was sent' });
    const { source } = row.payload as unknown as RadioDelivery;
    if (source !== null) onWithdrawn(source);
  }
  return true;
}
