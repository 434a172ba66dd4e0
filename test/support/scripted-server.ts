import { createServer } from 'node:http';
import type { JsonObject } from '../../src/util/json.ts';
import { closeHttp, listen } from './listen.ts';

export interface ScriptedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly token: string | null;
  readonly body: JsonObject;
  /** The body as a form, for OAuth. */
  readonly form: URLSearchParams;
}

export interface ScriptedAnswer {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  /** A string goes out as it is. */
  readonly body: JsonObject | string;
}

export interface ScriptedServer {
  readonly url: string;
  readonly requests: ScriptedRequest[];
  count(path: string): number;
  close(): Promise<void>;
}

/** An HTTP server that answers what the test says; null leaves the request hanging. */
export async function scriptedServer(
  answer: (request: ScriptedRequest) => ScriptedAnswer | null,
): Promise<ScriptedServer> {
  const requests: ScriptedRequest[] = [];
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    const { pathname, searchParams } = new URL(incoming.url ?? '/', 'http://x');
    const token = incoming.headers.authorization?.replace('Bearer ', '') ?? null;
    const body = text.startsWith('{') ? (JSON.parse(text) as JsonObject) : {};
    const form = new URLSearchParams(text);
    const request = { method: incoming.method ?? '', path: pathname, query: searchParams, token, body, form };
    requests.push(request);
    const reply = answer(request);
    if (reply === null) return;
    const json = typeof reply.body !== 'string';
    outgoing.writeHead(reply.status ?? 200, {
      'Content-Type': json ? 'application/json' : 'text/html',
      ...reply.headers,
    });
    outgoing.end(json ? JSON.stringify(reply.body) : reply.body);
  });
  return {
    url: `http://127.0.0.1:${await listen(server)}`,
    requests,
    count: (path) => requests.filter((request) => request.path.endsWith(path)).length,
    close: () => closeHttp(server),
  };
}
