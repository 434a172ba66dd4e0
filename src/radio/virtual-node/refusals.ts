import { BROADCAST } from '../../util/node-id.ts';
import { encodeFromRadioPacket, encodeNotification } from '../codec/device-frames.ts';
import { type DevicePacket, devicePacket } from '../codec/device-packet.ts';
import { encodeRouting, type RoutingErrorName } from '../codec/device-payloads.ts';

const ROUTING_APP = 5;
const ACK_PRIORITY = 120;

const WORDS: Partial<Readonly<Record<RoutingErrorName, string>>> = {
  NOT_AUTHORIZED: 'This radio is shared: settings cannot be changed from here (virtual_node.allow_admin).',
  RATE_LIMIT_EXCEEDED: 'This radio is shared: too many of your messages wait for their turn.',
  NO_INTERFACE: 'The radio could not be reached for a minute.',
  TIMEOUT: 'This radio is shared: within a minute its turn did not come.',
};

/** What the radio's own answer to its client would be: a routing error from itself, to itself. */
export function routingAnswer(
  { id: requestId, to, channel }: DevicePacket,
  error: RoutingErrorName,
  own: { readonly ownNum: number; readonly id: number },
): Uint8Array {
  const { ownNum, id } = own;
  return encodeFromRadioPacket(
    devicePacket({
      from: ownNum,
      to: ownNum,
      id,
      portnum: ROUTING_APP,
      payload: encodeRouting(error),
      requestId,
      channel: to === BROADCAST ? channel : 0,
      priority: ACK_PRIORITY,
    }),
  );
}

/** The same in words, which apps show. */
export function refusalNotice(error: RoutingErrorName, packetId: number, timeS: number): Uint8Array {
  return encodeNotification(WORDS[error] ?? String(error), packetId, timeS);
}
