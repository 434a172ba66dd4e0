import { randomUUID } from 'node:crypto';
import type { JsonObject } from '../../util/json.ts';

export interface UserMessage {
  readonly sender: string;
  readonly type: string;
  readonly content: JsonObject;
  readonly eventId: string;
}

interface Session {
  readonly baseUrl: string;
  readonly accessToken: string;
  readonly userId: string;
}

interface SyncAnswer {
  readonly next_batch: string;
  readonly rooms?: {
    readonly join?: Readonly<Record<string, { readonly timeline?: { readonly events?: readonly RawEvent[] } }>>;
  };
}

interface RawEvent {
  readonly sender: string;
  readonly type: string;
  readonly content: JsonObject;
  readonly event_id: string;
  readonly state_key?: string;
}

/** A person at a Matrix client, in a few requests: for the demo. One per person; holds their session. */
export class MatrixUser {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  async createRoom(options: JsonObject): Promise<string> {
    const answer = await this.#request<{ room_id: string }>('POST', '/createRoom', options);
    return answer.room_id;
  }

  async say(roomId: string, body: string): Promise<void> {
    const path = `/rooms/${encodeURIComponent(roomId)}/send/m.room.message/${randomUUID()}`;
    await this.#request('PUT', path, { msgtype: 'm.text', body });
  }

  /** Calls back for each message of others until the signal aborts. */
  async listen(onMessage: (message: UserMessage) => void, signal: AbortSignal): Promise<void> {
    let since = '';
    while (!signal.aborted) {
      const path = `/sync?timeout=20000${since === '' ? '' : `&since=${encodeURIComponent(since)}`}`;
      const answer = await this.#request<SyncAnswer>('GET', path, null, signal).catch((error: unknown) => {
        if (signal.aborted) return null;
        throw error;
      });
      if (answer === null) return;
      for (const room of Object.values(answer.rooms?.join ?? {})) {
        for (const event of room.timeline?.events ?? []) {
          const own = event.sender === this.#session.userId;
          if (!own && event.state_key === undefined) onMessage({ ...event, eventId: event.event_id });
        }
      }
      since = answer.next_batch;
    }
  }

  async #request<T>(method: string, path: string, body: JsonObject | null, signal?: AbortSignal): Promise<T> {
    const response = await fetch(`${this.#session.baseUrl}/_matrix/client/v3${path}`, {
      method,
      headers: { authorization: `Bearer ${this.#session.accessToken}`, 'content-type': 'application/json' },
      ...(body === null ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }
}
