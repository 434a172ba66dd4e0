import { utf8Encode } from '../../util/utf8.ts';
import type { RadioDelivery } from '../delivery.ts';
import type { OutgoingPacket } from '../ports.ts';
import type { OutboxRow } from '../store-port.ts';

/** The delivery in a row of a radio lane, as `delivery.ts` wrote it. */
export function readRadioDelivery(row: OutboxRow): RadioDelivery {
  return row.payload as unknown as RadioDelivery;
}

/** The packet that a row of a radio lane stands for. */
export function outgoingPacket(row: OutboxRow): OutgoingPacket {
  const delivery = readRadioDelivery(row);
  return {
    id: row.packetId ?? 0,
    to: delivery.to,
    channel: delivery.channel,
    portnum: delivery.portnum,
    payload: delivery.payload === undefined ? utf8Encode(delivery.text) : Buffer.from(delivery.payload, 'base64'),
    replyId: delivery.replyId,
    emoji: delivery.emoji,
    wantAck: delivery.wantAck,
    wantResponse: delivery.wantResponse ?? false,
    hopLimit: null,
    publicKey: null,
  };
}
