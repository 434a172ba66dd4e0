import type { MeshPacket, RoomEvent } from '../../src/relay/ports.ts';
import type { MessageLink, NewOutboxRow } from '../../src/relay/store-port.ts';
import { packet as relayPacket } from '../support/relay-fixture.ts';

export function packet(change: Partial<MeshPacket> = {}): MeshPacket {
  return relayPacket({
    from: 0xa1b2c3d4,
    id: 7,
    payload: new Uint8Array([0, 255, 128, 10]),
    rxSnr: 6.25,
    rxRssi: -90,
    ...change,
  });
}

export function event(eventId: string): RoomEvent {
  return {
    roomId: '!r:x',
    eventId,
    sender: '@a:x',
    senderName: null,
    type: 'm.room.message',
    content: { body: 'ü \u0000 "quoted" \ud83d\ude00', nested: { list: [1, null, true] } },
    timestampMs: 1,
    stateKey: null,
    redacts: null,
    encrypted: false,
    undecryptable: null,
  };
}

export function outboxRow(change: Partial<NewOutboxRow> = {}): NewOutboxRow {
  return {
    lane: 'radio:a',
    priority: 5,
    createdAtMs: 100,
    expiresAtMs: 1000,
    packetId: null,
    origin: 'notice',
    groupId: null,
    payload: { text: 'hello' },
    ...change,
  };
}

export function link(change: Partial<MessageLink> = {}): MessageLink {
  return {
    radio: 'a',
    sender: 1,
    packetId: 7,
    roomId: '!r:x',
    eventId: '$1',
    direction: 'to-room',
    text: 'hello',
    meshnet: 'net',
    author: '!00000001',
    createdAtMs: 10,
    ...change,
  };
}
