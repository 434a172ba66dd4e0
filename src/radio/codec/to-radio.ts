import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { Mesh } from '@meshtastic/protobufs';
import type { OutgoingPacket } from '../../relay/ports.ts';
import { RelayError } from '../../util/relay-error.ts';
import { MAX_FRAME_PAYLOAD_BYTES } from './framing.ts';

/** want_config nonce: everything but other nodes (Meshtastic firmware, PhoneAPI). */
export const NONCE_CONFIG_ONLY = 69420;
/** want_config nonce: own node and other nodes, nothing else. */
export const NONCE_NODES_ONLY = 69421;

/** Largest Data.payload the firmware takes (mesh.proto DATA_PAYLOAD_LEN). */
const MAX_DATA_BYTES = 233;

/** Asks for the configuration; the radio ends it with configCompleteId of the same nonce. */
export function encodeWantConfig(nonce: number): Uint8Array {
  return encode({ case: 'wantConfigId', value: nonce });
}

/** A keepalive: firmware answers with a QueueStatus. */
export function encodeHeartbeat(): Uint8Array {
  return encode({ case: 'heartbeat', value: {} });
}

/** Tells the radio that we leave: it stops handing out packets, and over TCP closes. */
export function encodeDisconnect(): Uint8Array {
  return encode({ case: 'disconnect', value: true });
}

/**
 * A packet for the mesh. The sender is left to the radio.
 * @param defaultHopLimit used when the packet names none
 * @throws RelayError RADIO_TOO_LARGE
 */
export function encodePacket(packet: OutgoingPacket, defaultHopLimit: number): Uint8Array {
  const { id, to, channel, portnum, payload, replyId, emoji, wantAck, wantResponse, publicKey } = packet;
  if (payload.length > MAX_DATA_BYTES) throw tooLarge(payload.length);
  const bytes = encode({
    case: 'packet',
    value: {
      id,
      to,
      channel,
      wantAck,
      hopLimit: packet.hopLimit ?? defaultHopLimit,
      ...(publicKey === null ? {} : { publicKey, pkiEncrypted: true }),
      payloadVariant: { case: 'decoded', value: { portnum, payload, replyId, emoji, wantResponse } },
    },
  });
  if (bytes.length > MAX_FRAME_PAYLOAD_BYTES) throw tooLarge(payload.length);
  return bytes;
}

type ToRadioVariant = MessageInitShape<typeof Mesh.ToRadioSchema>['payloadVariant'];

function encode(payloadVariant: NonNullable<ToRadioVariant>): Uint8Array {
  return toBinary(Mesh.ToRadioSchema, create(Mesh.ToRadioSchema, { payloadVariant }));
}

function tooLarge(payloadBytes: number): RelayError {
  return new RelayError(
    'RADIO_TOO_LARGE',
    `payload of ${payloadBytes} bytes exceeds the ${MAX_DATA_BYTES} of a packet`,
  );
}
