import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { closeHttp, listen } from '../../support/listen.ts';

/** What happens to requests: passed on, or one of the ways in which homeservers and proxies fail. */
export type Fault =
  | 'none'
  | 'html-502'
  | 'unknown-token'
  | 'device-gone'
  | 'hang'
  | 'reset'
  | 'drop-answer'
  | 'rate-limit'
  | 'forbidden'
  | 'error-500';

export interface FaultProxy {
  readonly url: string;
  /** Applies to requests whose path matches, until set again. */
  fault(kind: Fault, paths?: RegExp): void;
  /** Answers such requests with this, for good. */
  answer(paths: RegExp, body: object): void;
  /** Requests seen since the last `fault`, by `METHOD path` without the query. */
  readonly seen: string[];
  close(): Promise<void>;
}

/** A reverse proxy in front of a homeserver, so that every failure can be had from every homeserver. */
export async function startFaultProxy(target: string): Promise<FaultProxy> {
  let kind: Fault = 'none';
  let paths = /./;
  const seen: string[] = [];
  const answers: [RegExp, object][] = [];
  const server = createServer((incoming, outgoing) => {
    const path = new URL(incoming.url ?? '/', target).pathname;
    seen.push(`${incoming.method} ${path}`);
    const scripted = answers.find(([match]) => match.test(path));
    if (scripted !== undefined) {
      incoming.resume();
      outgoing.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(scripted[1]));
      return;
    }
    const fault = paths.test(path) ? kind : 'none';
    if (fault === 'none' || fault === 'drop-answer') pass(target, incoming, outgoing, fault === 'drop-answer');
    else fail(fault, incoming, outgoing);
  });
  return {
    url: `http://127.0.0.1:${await listen(server)}`,
    seen,
    fault(next, match = /./) {
      kind = next;
      paths = match;
      seen.length = 0;
    },
    answer: (match, body) => {
      answers.push([match, body]);
    },
    close: () => closeHttp(server),
  };
}

function pass(target: string, incoming: IncomingMessage, outgoing: ServerResponse, drop: boolean): void {
  const url = new URL(incoming.url ?? '/', target);
  const { host: _host, ...headers } = incoming.headers;
  const upstream = request(url, { method: incoming.method, headers }, (answer) => {
    if (drop) {
      answer.resume();
      answer.on('end', () => outgoing.destroy());
      return;
    }
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
  });
  upstream.on('error', () => outgoing.destroy());
  outgoing.on('close', () => upstream.destroy());
  incoming.pipe(upstream);
}

const REFUSALS = {
  'rate-limit': [429, { errcode: 'M_LIMIT_EXCEEDED', error: 'Too Many Requests', retry_after_ms: 1234 }],
  'unknown-token': [401, { errcode: 'M_UNKNOWN_TOKEN', error: 'Unrecognised access token', soft_logout: true }],
  'device-gone': [401, { errcode: 'M_UNKNOWN_TOKEN', error: 'Unrecognised access token' }],
  'error-500': [500, { errcode: 'M_UNKNOWN', error: 'Internal server error' }],
  forbidden: [403, { errcode: 'M_FORBIDDEN', error: 'Forbidden' }],
} as const;

function fail(
  fault: Exclude<Fault, 'none' | 'drop-answer'>,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): void {
  incoming.resume();
  if (fault === 'hang') return;
  if (fault === 'reset') {
    incoming.socket.destroy();
    return;
  }
  if (fault === 'html-502') {
    outgoing.writeHead(502, { 'Content-Type': 'text/html' }).end('<html><h1>502 Bad Gateway</h1></html>');
    return;
  }
  const [status, body] = REFUSALS[fault];
  outgoing.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}
