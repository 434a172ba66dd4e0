import type { RelayObserver } from '../../relay/observer.ts';
import type { Logger } from '../../util/logger.ts';
import { nodeId } from '../../util/node-id.ts';
import { portName } from '../../util/portnums.ts';

/**
 * Says in the log what the relay does; the radio adapter speaks for itself. Texts only as `messageText`, which the log
 * drops unless asked for.
 */
export function activityLog(logger: Logger): Partial<RelayObserver> {
  const matrix = logger.child('matrix');
  const relay = logger.child('relay');
  return {
    onMatrixState: (state) => {
      const log = state.status === 'syncing' || state.status === 'connecting' ? matrix.info : matrix.warn;
      if (state.status !== 'idle' && state.status !== 'stopped')
        log.call(matrix, `Matrix is ${state.status}`, { reason: state.reason ?? undefined });
    },
    onRadioInfo: (radio, info) =>
      logger.child('radio').info('Radio is ready', {
        radio,
        node: nodeId(info.nodeNum),
        firmware: info.firmwareVersion,
        region: info.lora?.region,
      }),
    onNotification: (radio, { level, message }) =>
      logger.child('radio').warn('The radio says', { radio, level, message }),
    onPacket: (radio, packet, duplicate) =>
      relay.debug(duplicate ? 'Packet heard before' : 'Packet from the mesh', {
        radio,
        from: nodeId(packet.from),
        packetId: packet.id,
        port: packet.encrypted ? 'ENCRYPTED' : portName(packet.portnum),
      }),
    onRoomEvent: (event) =>
      relay.debug('Event from a room', { room: event.roomId, event: event.eventId, type: event.type }),
    onDropped: ({ item }, reason) =>
      relay.debug('Not relayed', {
        reason,
        ...(item.kind === 'mesh' ? { packetId: item.packet.id } : { event: item.event.eventId }),
      }),
    onRoomOutcome: (row, delivery, outcome) => {
      const fields = {
        origin: row.origin,
        lane: row.lane,
        waitedMs: row.sentAtMs === null ? undefined : row.sentAtMs - row.createdAtMs,
      };
      if (outcome.state === 'sent')
        relay.info('To Matrix', {
          ...fields,
          event: outcome.eventId,
          messageText: delivery.kind === 'event' ? delivery.content.body : undefined,
        });
      else relay.warn('Not delivered to Matrix', { ...fields, state: outcome.state, reason: outcome.reason });
    },
    onRadioOutcome: (row, delivery, outcome) => {
      const fields = { origin: row.origin, lane: row.lane, packetId: row.packetId };
      if (outcome.state === 'failed' || outcome.state === 'expired')
        relay.warn('Not delivered to the mesh', { ...fields, state: outcome.state, reason: outcome.reason });
      else relay.info('To the mesh', { ...fields, state: outcome.state, messageText: delivery.text });
    },
  };
}
