/** A packet as JSON in the form of the Python client, as the room event of mmrelay 1.x carries it. */

import type { Json, Packet } from '../../src/plugins/api.ts';

export const BROADCAST = 0xffffffff;
const BROADCAST_ID = '^all';

/** The value of `meshtastic_packet`: without `raw`, payload in base64. */
export function packetJson(packet: Packet): string {
  const { from, to, fromId, channel, id, rxTimeS, rxSnr, rxRssi, hopLimit, hopStart, viaMqtt } = packet;
  const toId = to === BROADCAST ? BROADCAST_ID : `!${to.toString(16).padStart(8, '0')}`;
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

/** What of a packet can be sent again under another sender. */
export interface ForeignPacket {
  readonly portName: string;
  readonly payload: Uint8Array;
  readonly broadcast: boolean;
}

/** A value of `meshtastic_packet`, as text or already read; null for anything that is none. */
export function readPacketJson(value: Json | undefined): ForeignPacket | null {
  const packet = typeof value === 'string' ? parsed(value) : (value ?? null);
  if (!isObject(packet) || !isObject(packet.decoded)) return null;
  const { portnum, payload } = packet.decoded;
  if (typeof portnum !== 'string' || typeof payload !== 'string' || !BASE64.test(payload)) return null;
  const broadcast = packet.toId === BROADCAST_ID || (packet.toId === undefined && packet.to === BROADCAST);
  return { portName: portnum, payload: new Uint8Array(Buffer.from(payload, 'base64')), broadcast };
}

/** Not empty. */
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return null; // Somebody's words, not a packet.
  }
}

function isObject(value: Json | undefined): value is { readonly [key: string]: Json | undefined } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
