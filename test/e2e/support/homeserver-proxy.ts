import { Agent, createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { BAD_GATEWAY_HTML } from '../../../src/sandbox/homeserver/outage.ts';
import { closeHttp, listen } from '../../support/listen.ts';

/** `drop-answer`: the homeserver does what it was asked, but the connection dies before the answer. */
export type ProxyOutage = 'refuse' | 'hang' | 'bad-gateway' | 'rate-limited' | 'web-page' | 'drop-answer';

/** What stands in for the homeserver in these. */
const PAGES = {
  'bad-gateway': { status: 502, type: 'text/html', body: BAD_GATEWAY_HTML },
  'rate-limited': {
    status: 429,
    type: 'application/json',
    body: '{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":2000}',
  },
  'web-page': { status: 200, type: 'text/html', body: '<!doctype html><title>Welcome</title>' },
} as const;

export interface ProxyOptions {
  readonly target: string;
  /** A relay on a faster clock waits shorter: a /sync must be held that much shorter too. */
  readonly factor: number;
}

/**
 * What stands between a relay and its homeserver, and fails on demand. One per test. Holds the listener, on a port that
 * stays the same.
 */
export class HomeserverProxy {
  readonly #options: ProxyOptions;
  readonly #agent = new Agent({ keepAlive: true });
  #server: Server | null = null;
  #port = 0;
  #outage: ProxyOutage | null = null;

  constructor(options: ProxyOptions) {
    this.#options = options;
  }

  get baseUrl(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async open(): Promise<void> {
    if (this.#server !== null) return;
    const server = createServer((incoming, answer) => this.#serve(incoming, answer));
    this.#server = server;
    this.#port = await listen(server, this.#port);
  }

  /** null ends it; requests that hung are cut off then. */
  async setOutage(outage: ProxyOutage | null): Promise<void> {
    const before = this.#outage;
    this.#outage = outage;
    if (outage === 'refuse') await this.#closeListener();
    else await this.open();
    if (before === 'hang') this.#server?.closeAllConnections();
  }

  async close(): Promise<void> {
    await this.#closeListener();
    this.#agent.destroy();
  }

  async #closeListener(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    await closeHttp(server);
  }

  #serve(incoming: IncomingMessage, answer: ServerResponse): void {
    const outage = this.#outage;
    if (outage === 'hang') return;
    if (outage === 'bad-gateway' || outage === 'rate-limited' || outage === 'web-page') {
      const { status, type, body } = PAGES[outage];
      answer.writeHead(status, { 'content-type': type }).end(body);
      return;
    }
    const url = new URL(incoming.url ?? '/', this.#options.target);
    const timeoutMs = Number(url.searchParams.get('timeout') ?? 0);
    if (timeoutMs > 0) url.searchParams.set('timeout', String(Math.round(timeoutMs / this.#options.factor)));
    const { method = 'GET', headers } = incoming;
    const upstream = request(url, { method, headers, agent: this.#agent }, (reply) => {
      if (outage === 'drop-answer') {
        reply.resume();
        incoming.socket.destroy();
        return;
      }
      answer.writeHead(reply.statusCode ?? 502, reply.headers);
      reply.pipe(answer);
    });
    upstream.on('error', () => {
      // As nginx before a Synapse that is not there.
      if (answer.headersSent) answer.destroy();
      else answer.writeHead(502, { 'content-type': 'text/html' }).end(BAD_GATEWAY_HTML);
    });
    // A reader that went away needs no answer; a send goes on, as behind a real proxy.
    if (method === 'GET') answer.once('close', () => upstream.destroy());
    incoming.pipe(upstream);
  }
}
