import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { Mesh } from '@meshtastic/protobufs';
import type { MeshPacket } from '../../relay/ports.ts';
import { meshPacket } from './from-radio.ts';

/** A packet as the device sees it: with the priority that orders its transmit queue. */
export interface DevicePacket extends MeshPacket {
  /** MeshPacket.Priority; 0 is unset. */
  readonly priority: number;
  /** The key a direct message is encrypted to, or was encrypted with; null on channel traffic. */
  readonly publicKey: Uint8Array | null;
}

const EMPTY: DevicePacket = {
  from: 0,
  to: 0xffffffff,
  id: 0,
  channel: 0,
  portnum: 0,
  payload: new Uint8Array(0),
  encrypted: false,
  replyId: 0,
  emoji: 0,
  requestId: 0,
  wantAck: false,
  wantResponse: false,
  hopLimit: 0,
  hopStart: 0,
  rxTimeS: 0,
  rxSnr: 0,
  rxRssi: 0,
  viaMqtt: false,
  pkiEncrypted: false,
  priority: 0,
  publicKey: null,
};

/** A packet with the given fields, everything else as unset on the wire; broadcast unless `to` is given. */
export function devicePacket(fields: Partial<DevicePacket>): DevicePacket {
  return { ...EMPTY, ...fields };
}

/** The protobuf's fields of a packet; `payload` is ciphertext when `encrypted`. */
export function packetInit(packet: DevicePacket): MessageInitShape<typeof Mesh.MeshPacketSchema> {
  const { portnum, payload, replyId, emoji, requestId, wantResponse } = packet;
  return {
    from: packet.from,
    to: packet.to,
    channel: packet.channel,
    id: packet.id,
    rxTime: packet.rxTimeS,
    rxSnr: packet.rxSnr,
    rxRssi: packet.rxRssi,
    hopLimit: packet.hopLimit,
    hopStart: packet.hopStart,
    wantAck: packet.wantAck,
    priority: packet.priority,
    viaMqtt: packet.viaMqtt,
    pkiEncrypted: packet.pkiEncrypted,
    ...(packet.publicKey === null ? {} : { publicKey: packet.publicKey }),
    payloadVariant: packet.encrypted
      ? { case: 'encrypted', value: payload }
      : { case: 'decoded', value: { portnum, payload, replyId, emoji, requestId, wantResponse, bitfield: 0 } },
  };
}

/** The packet in a protobuf that a client sent. */
export function packetOf(init: MessageInitShape<typeof Mesh.MeshPacketSchema>): DevicePacket {
  const packet = create(Mesh.MeshPacketSchema, init);
  const publicKey = packet.publicKey.length === 0 ? null : packet.publicKey;
  return { ...meshPacket(packet), priority: packet.priority, publicKey };
}
