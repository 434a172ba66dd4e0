import { randomUUID } from 'node:crypto';
import type { AirRecord } from '../../../src/sandbox/radio/mesh.ts';
import type { VirtualRadio } from '../../../src/sandbox/radio/virtual-radio.ts';
import { type Client, enc, V3 } from '../../contract/homeserver-client.ts';
import { eventually } from './eventually.ts';

export interface HeardText {
  readonly text: string;
  readonly id: number;
  readonly replyId: number;
  readonly emoji: number;
  readonly to: number;
}

export interface SeenEvent {
  readonly event_id: string;
  readonly sender: string;
  readonly type: string;
  readonly content: Readonly<Record<string, unknown>> & { readonly body?: string };
}

/** The texts that the nodes around a radio heard from it, each packet once. */
export function heardTexts(radio: VirtualRadio): HeardText[] {
  const own = ({ packet }: AirRecord): boolean => packet.from === radio.nodeNum && packet.portnum === 1;
  return radio.mesh.heard.filter(own).map(({ packet }) => ({
    text: new TextDecoder().decode(packet.payload),
    id: packet.id,
    replyId: packet.replyId,
    emoji: packet.emoji,
    to: packet.to,
  }));
}

export function untilHeard(radio: VirtualRadio, text: string, timeoutMs?: number): Promise<HeardText> {
  return eventually(
    `"${text}" on the air`,
    () => heardTexts(radio).find((heard) => heard.text === text) ?? null,
    timeoutMs,
  );
}

/** Everything in a room that is no state, oldest first. */
export async function roomEvents(client: Client, roomId: string): Promise<SeenEvent[]> {
  const page = await client.ok('GET', `${V3}/rooms/${enc(roomId)}/messages?dir=f&limit=1000`);
  return page.chunk.filter((event: { state_key?: string }) => event.state_key === undefined);
}

export function untilSeen(
  client: Client,
  roomId: string,
  wanted: (event: SeenEvent) => boolean,
  timeoutMs?: number,
): Promise<SeenEvent> {
  return eventually(
    `an event like ${wanted}`,
    async () => (await roomEvents(client, roomId)).find(wanted) ?? null,
    timeoutMs,
  );
}

/** Sends any event; its id. */
export async function sendEvent(
  client: Client,
  roomId: string,
  content: object,
  type = 'm.room.message',
): Promise<string> {
  return (await client.ok('PUT', `${V3}/rooms/${enc(roomId)}/send/${type}/${randomUUID()}`, content)).event_id;
}

export function sendText(client: Client, roomId: string, body: string, extra: object = {}): Promise<string> {
  return sendEvent(client, roomId, { msgtype: 'm.text', body, ...extra });
}
