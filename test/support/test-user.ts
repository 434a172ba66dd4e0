import type { JsonObject } from '../../src/util/json.ts';

/** A room member that speaks plain client-server API. */
export interface TestUser {
  readonly userId: string;
  readonly accessToken: string;
  readonly deviceId: string;
  call(method: string, path: string, body?: JsonObject): Promise<JsonObject>;
  createRoom(options?: JsonObject): Promise<string>;
  say(roomId: string, text: string, txnId?: string): Promise<string>;
  /** Bodies of the newest messages of a room, oldest first. */
  bodies(roomId: string, limit?: number): Promise<string[]>;
}

let txn = 0;

export function testUser(
  baseUrl: string,
  session: { readonly userId: string; readonly accessToken: string; readonly deviceId: string },
): TestUser {
  const call = async (method: string, path: string, body?: JsonObject): Promise<JsonObject> => {
    const response = await fetch(`${baseUrl}/_matrix/client/v3${path}`, {
      method,
      headers: { Authorization: `Bearer ${session.accessToken}`, 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = (await response.json()) as JsonObject;
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
    return answer;
  };
  return {
    ...session,
    call,
    createRoom: async (options = {}) => String((await call('POST', '/createRoom', options)).room_id),
    async say(roomId, text, txnId = `t${txn++}`) {
      const path = `/rooms/${encodeURIComponent(roomId)}/send/m.room.message/${txnId}`;
      return String((await call('PUT', path, { msgtype: 'm.text', body: text })).event_id);
    },
    async bodies(roomId, limit = 100) {
      const answer = await call('GET', `/rooms/${encodeURIComponent(roomId)}/messages?dir=b&limit=${limit}`);
      const events = (answer.chunk as JsonObject[]).filter((event) => event.type === 'm.room.message');
      return events.map((event) => String((event.content as JsonObject).body)).toReversed();
    },
  };
}
