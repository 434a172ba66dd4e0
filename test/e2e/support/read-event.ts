import { EventType, type MatrixClient } from 'matrix-js-sdk';

/** Fetches an event by its id and decrypts it with the keys this client has now; null when it can be read, else why not. */
export async function whyUnreadable(client: MatrixClient, roomId: string, eventId: string): Promise<string | null> {
  const raw = await client.fetchRoomEvent(roomId, eventId);
  const event = client.getEventMapper({ decrypt: false, preventReEmit: true })({ ...raw, room_id: roomId });
  if (!event.isEncrypted()) return 'it was not encrypted';
  await client.decryptEventIfNeeded(event);
  if (event.isDecryptionFailure()) return event.decryptionFailureReason ?? 'unknown';
  return event.getType() === EventType.RoomMessage ? null : `it is ${event.getType()}`;
}
