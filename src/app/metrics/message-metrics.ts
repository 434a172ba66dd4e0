import type { MetricsRegistry } from '../../observe/metrics.ts';
import type { RoomDelivery } from '../../relay/delivery.ts';
import type { RelayObserver } from '../../relay/observer.ts';
import type { InboxRow } from '../../relay/store-port.ts';
import type { Clock } from '../../util/clock.ts';
import { portName } from '../../util/portnums.ts';

const DELIVERY_BUCKETS_S = [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200];
const SNR_BUCKETS_DB = [-20, -15, -10, -5, 0, 5, 10];
const RSSI_BUCKETS_DBM = [-130, -120, -110, -100, -90, -80, -70, -60];

/** Counts what happens to messages and links (deploy/observability/README.md names the metrics). One per daemon. */
export function messageMetrics(registry: MetricsRegistry, clock: Clock): Partial<RelayObserver> {
  const messages = registry.counter('mmrelay_messages_total', 'Messages that reached an end.');
  const buckets = DELIVERY_BUCKETS_S;
  const delivery = registry.histogram('mmrelay_delivery_seconds', 'From acceptance to acknowledgement.', buckets);
  const packets = registry.counter('mmrelay_mesh_packets_total', 'Packets heard, by port and whether seen before.');
  const events = registry.counter('mmrelay_room_events_total', 'Events taken from rooms.');
  const undecryptable = registry.counter('mmrelay_decrypt_failures_total', 'Events that could not be decrypted.');
  undecryptable.inc({}, 0);
  const reconnects = registry.counter('mmrelay_radio_reconnects_total', 'Links opened again after a loss.');
  const snr = registry.histogram('mmrelay_mesh_snr_db', 'SNR of packets heard.', SNR_BUCKETS_DB);
  const rssi = registry.histogram('mmrelay_mesh_rssi_dbm', 'RSSI of packets heard.', RSSI_BUCKETS_DBM);
  const wasReady = new Set<string>();
  const waited = (createdAtMs: number): number => Math.max(0, clock.now() - createdAtMs) / 1000;
  return {
    onRadioState: (radio, { status }) => {
      reconnects.inc({ radio }, 0);
      if (status !== 'ready') return;
      if (wasReady.has(radio)) reconnects.inc({ radio });
      wasReady.add(radio);
    },
    onPacket: (radio, packet, duplicate) => {
      const port = packet.encrypted ? 'ENCRYPTED' : portName(packet.portnum);
      packets.inc({ radio, port, duplicate: String(duplicate) });
      if (packet.rxSnr !== 0) snr.observe(packet.rxSnr, { radio });
      if (packet.rxRssi !== 0) rssi.observe(packet.rxRssi, { radio });
    },
    onRoomEvent: () => events.inc(),
    onUndecryptable: () => undecryptable.inc(),
    onDropped: (row) => messages.inc({ ...droppedLabels(row), outcome: 'dropped' }),
    onRoomOutcome: (row, what, outcome) => {
      const direction = 'mesh_to_matrix';
      const done = outcome.state === 'sent';
      messages.inc({ direction, kind: roomKind(row.origin, what), outcome: done ? 'delivered' : outcome.state });
      if (done) delivery.observe(waited(row.createdAtMs), { direction });
    },
    onRadioOutcome: (row, what, outcome) => {
      const direction = 'matrix_to_mesh';
      const done = outcome.state !== 'failed' && outcome.state !== 'expired';
      const kind = row.origin.startsWith('plugin:') ? 'plugin' : what.emoji !== 0 ? 'reaction' : 'text';
      messages.inc({ direction, kind, outcome: done ? 'delivered' : outcome.state });
      if (done) delivery.observe(waited(row.createdAtMs), { direction });
    },
  };
}

function droppedLabels({ item }: InboxRow): { readonly direction: string; readonly kind: string } {
  if (item.kind === 'room') return { direction: 'matrix_to_mesh', kind: item.event.type };
  const kind = item.packet.encrypted ? 'ENCRYPTED' : portName(item.packet.portnum);
  return { direction: 'mesh_to_matrix', kind };
}

function roomKind(origin: string, delivery: RoomDelivery): string {
  if (delivery.kind !== 'event') return delivery.kind;
  if (origin.startsWith('plugin:')) return 'plugin';
  if (!origin.startsWith('packet:')) return 'notice';
  return delivery.relation?.rel ?? 'text';
}
