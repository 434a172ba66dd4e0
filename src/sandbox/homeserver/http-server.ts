import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { isObject, type JsonObject } from '../../util/json.ts';
import { errorText } from '../../util/relay-error.ts';
import { MatrixError } from './matrix-error.ts';
import { BAD_GATEWAY_HTML, type Outage, OutageSwitch } from './outage.ts';
import type { Match, Reply, RouteRequest, Router } from './router.ts';
import type { World } from './world.ts';

/**
 * The listener: parses, finds the session, meets the outage, answers. One per homeserver.
 * Invariant: the port stays the same however often it closes and opens.
 */
export class HttpServer {
  readonly outages = new OutageSwitch();
  /** `METHOD path` of every request that arrived, in order. */
  readonly log: string[] = [];
  readonly #router: Router;
  readonly #world: World;
  #lastSync: Reply | null = null;
  #server: Server | null = null;
  #port: number;

  constructor(router: Router, world: World, port: number) {
    this.#router = router;
    this.#world = world;
    this.#port = port;
  }

  get port(): number {
    return this.#port;
  }

  async open(): Promise<void> {
    if (this.#server !== null) return;
    const server = createServer((request, response) => {
      this.#serve(request, response).catch((error: unknown) =>
        response.destroy(error instanceof Error ? error : undefined),
      );
    });
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address !== null && typeof address !== 'string') this.#port = address.port;
    this.#server = server;
  }

  /** Closes the port and cuts every connection. */
  async close(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    const method = request.method ?? 'GET';
    const raw = await readBody(request);
    this.log.push(`${method} ${url.pathname}`);
    if (method === 'OPTIONS') {
      answer(response, { json: {} });
      return;
    }
    const outage = this.outages.meet(method, url.pathname);
    if (outage !== null && !PROCESSING.has(outage.kind)) {
      answerOutage(response, outage);
      return;
    }
    if (outage?.kind === 'slow') await new Promise<void>((resolve) => this.#world.clock.after(outage.delayMs, resolve));
    const call = { method, url, raw, response };
    const isSync = url.pathname.endsWith('/sync');
    const old = outage?.kind === 'old-sync' && isSync ? this.#lastSync : null;
    const reply = old ?? (await this.#process(request, call));
    if (isSync && reply.status === undefined) this.#lastSync = reply;
    if (outage?.kind === 'drop-answer') response.socket?.destroy();
    else answer(response, reply);
  }

  async #process(request: IncomingMessage, call: Call): Promise<Reply> {
    try {
      const match = this.#router.match(call.method, call.url.pathname);
      const gone = new AbortController();
      call.response.once('close', () => gone.abort());
      const routed = routeRequest(request, { ...call, match, signal: gone.signal });
      if (match.open !== null) return await match.open(routed);
      if (match.handler === null) throw new MatrixError(404, 'M_UNRECOGNIZED', 'Unrecognized request');
      return await match.handler(routed, this.#session(request, call.url));
    } catch (error) {
      if (!(error instanceof MatrixError)) {
        return { status: 500, json: { errcode: 'M_UNKNOWN', error: `Internal server error: ${errorText(error)}` } };
      }
      const waitMs = error.extra.retry_after_ms;
      const headers = typeof waitMs === 'number' ? { 'retry-after': String(Math.ceil(waitMs / 1000)) } : {};
      return { status: error.status, json: error.body(), headers };
    }
  }

  #session(request: IncomingMessage, url: URL): Parameters<NonNullable<Match['handler']>>[1] {
    const token =
      /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? url.searchParams.get('access_token');
    if (token === null || token === undefined) throw new MatrixError(401, 'M_MISSING_TOKEN', 'Missing access token');
    const session = this.#world.accounts.session(token);
    if (session === null) {
      const softLogout = this.#world.tuning.softLogout;
      throw new MatrixError(401, 'M_UNKNOWN_TOKEN', 'Invalid access token passed.', { soft_logout: softLogout });
    }
    return session;
  }
}

interface Call {
  readonly method: string;
  readonly url: URL;
  readonly raw: Buffer;
  readonly response: ServerResponse;
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function routeRequest(
  request: IncomingMessage,
  { method, url, raw, match, signal }: Call & { readonly match: Match; readonly signal: AbortSignal },
): RouteRequest {
  return {
    method,
    path: url.pathname,
    query: url.searchParams,
    raw,
    contentType: request.headers['content-type'] ?? '',
    signal,
    json: () => parseJson(raw),
    param: (name) => match.params.get(name) ?? '',
  };
}

function parseJson(raw: Buffer): JsonObject {
  if (raw.length === 0) return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(raw.toString('utf8'));
  } catch {
    throw new MatrixError(400, 'M_NOT_JSON', 'Content not JSON.');
  }
  if (!isObject(parsed)) throw new MatrixError(400, 'M_BAD_JSON', 'Content must be a JSON object.');
  return parsed;
}

function answer(response: ServerResponse, reply: Reply): void {
  const body = reply.bytes ?? Buffer.from(JSON.stringify(reply.json ?? {}));
  response.writeHead(reply.status ?? 200, {
    'content-type': 'application/json',
    'access-control-allow-origin': '*',
    'content-length': body.length,
    ...reply.headers,
  });
  response.end(body);
}

/** Outages in which a request does what it asks for. */
const PROCESSING: ReadonlySet<Outage['kind']> = new Set(['drop-answer', 'slow', 'old-sync']);

function answerOutage(response: ServerResponse, outage: Outage): void {
  if (outage.kind === 'bad-gateway') {
    answer(response, { status: 502, bytes: Buffer.from(BAD_GATEWAY_HTML), headers: { 'content-type': 'text/html' } });
  } else if (outage.kind === 'unknown-token') {
    const extra = { soft_logout: outage.softLogout ?? false };
    const error = new MatrixError(401, 'M_UNKNOWN_TOKEN', 'Invalid access token passed.', extra);
    answer(response, { status: 401, json: error.body() });
  } else if (outage.kind === 'web-page') {
    const page = Buffer.from('<!doctype html><title>Welcome</title>');
    answer(response, { bytes: page, headers: { 'content-type': 'text/html' } });
  } else if (outage.kind === 'rate-limited') {
    const extra = { retry_after_ms: outage.retryAfterMs };
    answer(response, {
      status: 429,
      json: new MatrixError(429, 'M_LIMIT_EXCEEDED', 'Too Many Requests', extra).body(),
    });
  } else if (outage.kind === 'internal-error') {
    answer(response, { status: 500, json: { errcode: 'M_UNKNOWN', error: 'Internal server error' } });
  }
}
