import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';

export interface ContractUser {
  readonly userId: string;
  readonly accessToken: string;
  readonly deviceId: string;
}

/** A homeserver under test: the double or Synapse. */
export interface ContractServer {
  readonly baseUrl: string;
  registerUser(name: string, password: string): ContractUser | Promise<ContractUser>;
  stop(): Promise<void>;
}

export type ContractFactory = (options: { readonly rateLimits: 'stock' | 'off' }) => Promise<ContractServer>;

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: a raw answer, looked into by expectations only
  readonly body: any;
}

export const V3 = '/_matrix/client/v3';
export const enc = encodeURIComponent;

/** One signed-in device that speaks plain HTTP. */
export class Client {
  readonly server: ContractServer;
  readonly user: ContractUser;

  constructor(server: ContractServer, user: ContractUser) {
    this.server = server;
    this.user = user;
  }

  async call(method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await fetch(`${this.server.baseUrl}${path}`, {
      method,
      headers: { authorization: `Bearer ${this.user.accessToken}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.json() };
  }

  async ok(method: string, path: string, body?: unknown): Promise<Answer['body']> {
    const answer = await this.call(method, path, body);
    expect(answer.status, `${method} ${path}: ${JSON.stringify(answer.body)}`).toBe(200);
    return answer.body;
  }

  async createRoom(body: object = {}): Promise<string> {
    return (await this.ok('POST', `${V3}/createRoom`, body)).room_id;
  }

  send(roomId: string, body: string, txn: string = randomUUID(), extra: object = {}): Promise<Answer> {
    const content = { msgtype: 'm.text', body, ...extra };
    return this.call('PUT', `${V3}/rooms/${enc(roomId)}/send/m.room.message/${txn}`, content);
  }

  sync(query: Record<string, string> = {}): Promise<Answer['body']> {
    return this.ok('GET', `${V3}/sync?${new URLSearchParams({ timeout: '0', ...query })}`);
  }
}

/** Texts of the messages among the events. */
export function bodies(events: readonly Answer['body'][]): string[] {
  return events.filter((event) => event.type === 'm.room.message').map((event) => event.content.body);
}

export type NewClient = () => Promise<Client>;
