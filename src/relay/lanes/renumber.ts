import type { RadioPort } from '../ports.ts';
import type { OutboxRow, StorePort } from '../store-port.ts';

/**
 * A packet goes out under another id, because the radio has refused it, or through another radio: the links between it
 * and its event follow, and so do replies and reactions to it that wait themselves. Call inside the transaction that
 * changes the row.
 */
export function renumberPacket(
  row: OutboxRow,
  next: { readonly packetId: number; readonly radio: RadioPort },
  context: { readonly store: StorePort; readonly atMs: number },
): void {
  const { store, atMs } = context;
  const { packetId, radio } = next;
  const sender = radio.info()?.nodeNum ?? 0;
  if (sender !== 0) store.inbox.noteOwnPacket(sender, packetId, atMs);
  if (row.packetId === null) return;
  store.links.renumber(row.packetId, { packetId, sender });
  store.outbox.redirectReplies(row.packetId, packetId);
}
