import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { Mesh, Mqtt } from '@meshtastic/protobufs';
import type { MeshPacket, OutgoingPacket } from '../../relay/ports.ts';
import { meshPacket } from './from-radio.ts';
import { parseMessage } from './parse.ts';

/** Data.bitfield: the sender lets others put the packet on a broker (mesh.proto). */
const OK_TO_MQTT = 1;

/** A packet as it lies on a broker. */
export interface Envelope {
  /** Name of the channel, or `PKI`. */
  readonly channelId: string;
  /** Node id of who put it there, as `!a1b2c3d4`. */
  readonly gatewayId: string;
  /** With the ciphertext as payload and the channel's hash as channel while `encrypted`. */
  readonly packet: MeshPacket;
}

/** A ServiceEnvelope; null when it is none, or none with a packet. */
export function decodeEnvelope(bytes: Uint8Array): Envelope | null {
  const envelope = parseMessage(Mqtt.ServiceEnvelopeSchema, bytes);
  if (envelope?.packet === undefined || envelope.packet.from === 0) return null;
  return { channelId: envelope.channelId, gatewayId: envelope.gatewayId, packet: meshPacket(envelope.packet) };
}

export interface OpenedPacket {
  readonly packet: MeshPacket;
  /** False when the sender said that the packet is not for brokers; null when it did not say (older firmware). */
  readonly okToMqtt: boolean | null;
}

/** The encrypted packet with its Data put in; null when the plaintext is no Data: then the key was not the right one. */
export function openPacket(packet: MeshPacket, plaintext: Uint8Array, channel: number): OpenedPacket | null {
  try {
    const data = fromBinary(Mesh.DataSchema, plaintext);
    if (data.portnum === 0) return null;
    const { portnum, payload, replyId, emoji, requestId, wantResponse, bitfield } = data;
    return {
      packet: { ...packet, encrypted: false, channel, portnum, payload, replyId, emoji, requestId, wantResponse },
      okToMqtt: bitfield === undefined ? null : (bitfield & OK_TO_MQTT) !== 0,
    };
  } catch {
    return null; // Noise: another key.
  }
}

/** The Data of a packet of ours, to be encrypted. It may go to brokers: it begins on one. */
export function encodeData(packet: OutgoingPacket, requestId = 0): Uint8Array {
  const { portnum, payload, replyId, emoji, wantResponse } = packet;
  const fields = { portnum, payload, replyId, emoji, wantResponse, requestId, bitfield: OK_TO_MQTT };
  return toBinary(Mesh.DataSchema, create(Mesh.DataSchema, fields));
}

export interface OwnPacket {
  readonly from: number;
  readonly gatewayId: string;
  readonly channelId: string;
  readonly channelHash: number;
  readonly hopLimit: number;
  readonly timeS: number;
}

/** The ServiceEnvelope of a packet of ours. */
export function encodeEnvelope(packet: OutgoingPacket, ciphertext: Uint8Array, own: OwnPacket): Uint8Array {
  const { id, to, wantAck } = packet;
  const { from, gatewayId, channelId, channelHash, hopLimit, timeS } = own;
  const mesh = create(Mesh.MeshPacketSchema, {
    from,
    to,
    id,
    channel: channelHash,
    wantAck,
    hopLimit,
    hopStart: hopLimit,
    rxTime: timeS,
    payloadVariant: { case: 'encrypted', value: ciphertext },
  });
  const envelope = create(Mqtt.ServiceEnvelopeSchema, { packet: mesh, channelId, gatewayId });
  return toBinary(Mqtt.ServiceEnvelopeSchema, envelope);
}
