import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import type { MeshPacket } from '../relay/ports.ts';
import type { InboxItem } from '../relay/store-port.ts';

type StoredItem =
  | {
      readonly kind: 'mesh';
      readonly radio: string;
      readonly packet: Omit<MeshPacket, 'payload'> & { payload: string };
      readonly again?: boolean;
    }
  | Extract<InboxItem, { kind: 'room' }>;

/** JSON has no NaN: a radio that measured nonsense must not make the packet unreadable. */
function finite(value: number): number {
  return Number.isFinite(value) ? value : 0;
}

/** An inbox item as JSON, bytes as base64. */
export function encodeItem(item: InboxItem): string {
  if (item.kind === 'room') return JSON.stringify(item);
  const { packet } = item;
  const stored: StoredItem = {
    kind: 'mesh',
    radio: item.radio,
    ...(item.again === true ? { again: true } : {}),
    packet: {
      ...packet,
      payload: Buffer.from(packet.payload).toString('base64'),
      rxSnr: finite(packet.rxSnr),
      rxRssi: finite(packet.rxRssi),
    },
  };
  return JSON.stringify(stored);
}

/** @throws SyntaxError when it is not what encodeItem wrote */
export function decodeItem(json: string): InboxItem {
  const stored = JSON.parse(json) as StoredItem;
  if (stored.kind === 'room') return stored;
  const payload = new Uint8Array(Buffer.from(stored.packet.payload, 'base64'));
  return { ...stored, packet: { ...stored.packet, payload } };
}

/** Without id and without clock there is only the moment we heard it: the same content again after this is news. */
const BLIND_WINDOW_MS = 600_000;

/**
 * What makes a packet the same packet: sender and id (they are the mesh's own key, whichever radio heard it), or for
 * packets without id its content and the radio's receive time.
 */
export function packetKey(packet: MeshPacket, receivedAtMs: number): string {
  if (packet.id !== 0) return ownPacketKey(packet.from, packet.id);
  const heard = packet.rxTimeS !== 0 ? packet.rxTimeS : `~${Math.floor(receivedAtMs / BLIND_WINDOW_MS)}`;
  const head = [packet.from, packet.to, packet.channel, packet.portnum, packet.encrypted, packet.replyId, packet.emoji];
  const hash = createHash('sha256')
    .update(JSON.stringify([...head, packet.requestId, heard]))
    .update(packet.payload);
  return `hash:${hash.digest('base64url').slice(0, 24)}`;
}

export function ownPacketKey(from: number, packetId: number): string {
  return `packet:${from.toString(16)}/${packetId.toString(16)}`;
}

export function eventKey(eventId: string): string {
  return `event:${eventId}`;
}
