import type { RadioDelivery, RoomDelivery } from './delivery.ts';
import type { RadioOutcome } from './lanes/radio-lane.ts';
import type { RoomOutcome } from './lanes/room-lane.ts';
import type { ClientNotification, MatrixState, MeshPacket, RadioInfo, RadioState, RoomEvent } from './ports.ts';
import type { InboxRow, OutboxRow } from './store-port.ts';

/**
 * Who wants to know what the relay does: logs, metrics, health. Nothing that must be delivered goes this way.
 * Methods must return at once and must not throw.
 */
export interface RelayObserver {
  onMatrixState(state: MatrixState): void;
  onRadioState(radio: string, state: RadioState): void;
  onRadioInfo(radio: string, info: RadioInfo): void;
  onNotification(radio: string, notification: ClientNotification): void;
  onPacket(radio: string, packet: MeshPacket, duplicate: boolean): void;
  onRoomEvent(event: RoomEvent): void;
  /** Keys are missing for this event; it may come again, readable. */
  onUndecryptable?(event: RoomEvent): void;
  onDropped(row: InboxRow, reason: string): void;
  onRoomOutcome(row: OutboxRow, delivery: RoomDelivery, outcome: RoomOutcome): void;
  onRadioOutcome(row: OutboxRow, delivery: RadioDelivery, outcome: RadioOutcome): void;
}
