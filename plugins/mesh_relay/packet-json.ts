/** A packet as JSON in the form of the Python client, as the room event of mmrelay 1.x carries it. */

import type { Packet } from '../../src/plugins/api.ts';

const BROADCAST = 0xffffffff;

/** The value of `meshtastic_packet`: without `raw`, payload in base64. */
export function packetJson(packet: Packet): string {
  const { from, to, fromId, channel, id, rxTimeS, rxSnr, rxRssi, hopLimit, hopStart, viaMqtt } = packet;
  const toId = to === BROADCAST ? '^all' : `!${to.toString(16).padStart(8, '0')}`;
  return JSON.stringify({
    from,
    to,
    ...set({ channel }),
    decoded: {
      portnum: packet.portName,
      payload: Buffer.from(packet.payload).toString('base64'),
      ...set({
        requestId: packet.requestId,
        replyId: packet.replyId,
        emoji: packet.emoji,
        wantResponse: packet.wantResponse,
      }),
    },
    id,
    ...set({ rxTime: rxTimeS, rxSnr, hopLimit, rxRssi, hopStart, viaMqtt }),
    fromId,
    toId,
  });
}

/** Protobuf leaves out what is not set. */
function set(fields: Readonly<Record<string, number | boolean>>): Record<string, number | boolean> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== 0 && value !== false));
}
