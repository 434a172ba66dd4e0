import { setTimeout as delay } from 'node:timers/promises';

export interface PersonSession {
  readonly baseUrl: string;
  readonly userId: string;
  readonly accessToken: string;
}

export interface SeenMessage {
  readonly sender: string;
  readonly body: string;
}

interface RawEvent {
  readonly type: string;
  readonly sender: string;
  readonly content: { readonly body?: string };
}

const RETRY_MS = 100;
/** Of a message that is tried again anyhow; of everything else. */
const SAY_TIMEOUT_MS = 1_500;
const REQUEST_TIMEOUT_MS = 60_000;

/** Somebody at a Matrix client who does not give up: a message is sent again under its transaction id until the server took it. */
export class Person {
  readonly session: PersonSession;

  constructor(session: PersonSession) {
    this.session = session;
  }

  async createRoom(name: string): Promise<string> {
    const answer = await this.#request<{ room_id: string }>('POST', '/createRoom', {
      body: { preset: 'public_chat', name },
    });
    return answer.room_id;
  }

  async join(roomIdOrAlias: string): Promise<string> {
    const path = `/join/${encodeURIComponent(roomIdOrAlias)}`;
    return (await this.#request<{ room_id: string }>('POST', path, { body: {} })).room_id;
  }

  /** Resolves when the homeserver has accepted it. */
  async say(roomId: string, body: string): Promise<void> {
    const path = `/rooms/${encodeURIComponent(roomId)}/send/m.room.message/${encodeURIComponent(body)}`;
    for (;;) {
      try {
        await this.#request('PUT', path, { body: { msgtype: 'm.text', body }, timeoutMs: SAY_TIMEOUT_MS });
        return;
      } catch {
        await delay(RETRY_MS); // it is away; that is what the test is about
      }
    }
  }

  /** Every message of the room, oldest first. */
  async messages(roomId: string): Promise<readonly SeenMessage[]> {
    const seen: SeenMessage[] = [];
    for (let from = ''; ; ) {
      const query = `dir=f&limit=1000${from === '' ? '' : `&from=${encodeURIComponent(from)}`}`;
      const path = `/rooms/${encodeURIComponent(roomId)}/messages?${query}`;
      const page = await this.#request<{ chunk: readonly RawEvent[]; end?: string }>('GET', path);
      for (const { type, sender, content } of page.chunk)
        if (type === 'm.room.message') seen.push({ sender, body: content.body ?? '' });
      if (page.end === undefined || page.end === from || page.chunk.length === 0) return seen;
      from = page.end;
    }
  }

  async #request<T>(
    method: string,
    path: string,
    { body, timeoutMs = REQUEST_TIMEOUT_MS }: { readonly body?: object; readonly timeoutMs?: number } = {},
  ): Promise<T> {
    const response = await fetch(`${this.session.baseUrl}/_matrix/client/v3${path}`, {
      method,
      headers: { authorization: `Bearer ${this.session.accessToken}`, 'content-type': 'application/json' },
      signal: AbortSignal.timeout(timeoutMs),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }
}
