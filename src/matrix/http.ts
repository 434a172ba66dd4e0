/**
 * JSON over HTTP with failures told apart. Our own, not the SDK's: that one forgets why a connection failed (refused
 * and reset differ: only after a reset may the request have been carried out) and reads bodies without a time limit.
 */

import type { Clock } from '../util/clock.ts';
import type { JsonObject, JsonValue } from '../util/json.ts';
import { errorCode, errorText } from '../util/relay-error.ts';
import { asNumber, asObject, asString } from './json-read.ts';

/** `unreached`: the server never saw the request. `cut`: it may have. `bad-answer`: a success that is no JSON. */
export type HttpFailureKind = 'unreached' | 'cut' | 'timeout' | 'aborted' | 'status' | 'bad-answer' | 'too-large';

/** Far above any honest answer, and what a small machine can still take in. */
const MAX_ANSWER_BYTES = 32 * 1024 ** 2;

export class HttpFailure extends Error {
  override readonly name = 'HttpFailure';
  readonly kind: HttpFailureKind;
  /** 0 unless `kind` is `status` or `bad-answer`. */
  readonly status: number;
  /** Matrix error code; null when the answer was not of a homeserver (a proxy's page). */
  readonly errcode: string | null;
  readonly retryAfterMs: number | null;
  readonly body: JsonObject;

  constructor(
    kind: HttpFailureKind,
    message: string,
    answer: { readonly status: number; readonly retryAfterMs: number | null; readonly body: JsonObject } | null = null,
  ) {
    super(message);
    this.kind = kind;
    this.status = answer?.status ?? 0;
    this.body = answer?.body ?? {};
    this.errcode = asString(this.body.errcode);
    this.retryAfterMs = answer?.retryAfterMs ?? null;
  }
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly url: string;
  readonly token?: string | null;
  readonly body?: JsonObject | Uint8Array;
  readonly contentType?: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** @throws HttpFailure and nothing else */
export type HttpSend = (request: HttpRequest) => Promise<JsonObject>;

/**
 * One request; headers and body together have `timeoutMs`.
 * @param onServerTime what time it is at the homeserver, with each answer of one
 */
export function createHttp(clock: Clock, onServerTime?: (nowMs: number) => void): HttpSend {
  return async (request) => {
    const limit = new AbortController();
    const giveUp = (): void => limit.abort();
    const cancel = clock.after(request.timeoutMs, giveUp);
    // By hand: AbortSignal.any leaves some bytes behind in the long-lived signal with each request.
    request.signal?.addEventListener('abort', giveUp, { once: true });
    if (request.signal?.aborted) giveUp();
    try {
      const response = await fetch(request.url, fetchOptions(request, limit.signal));
      const text = await readText(response);
      const answer = readAnswer(response, text, clock.now());
      const serverMs = Date.parse(response.headers.get('Date') ?? '');
      if (Number.isFinite(serverMs)) onServerTime?.(serverMs);
      return answer;
    } catch (error) {
      if (error instanceof HttpFailure) throw error;
      if (request.signal?.aborted) throw new HttpFailure('aborted', 'the request was given up');
      const seconds = Math.round(request.timeoutMs / 1000);
      if (limit.signal.aborted) throw new HttpFailure('timeout', `the homeserver did not answer within ${seconds} s`);
      throw connectionFailure(error);
    } finally {
      cancel();
      request.signal?.removeEventListener('abort', giveUp);
    }
  };
}

function fetchOptions(request: HttpRequest, signal: AbortSignal): RequestInit {
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (request.token) headers.Authorization = `Bearer ${request.token}`;
  if (request.body === undefined) return { method: request.method, headers, signal };
  headers['Content-Type'] = request.contentType ?? 'application/json';
  const body = request.body instanceof Uint8Array ? new Uint8Array(request.body) : JSON.stringify(request.body);
  return { method: request.method, headers, signal, body };
}

/** @throws HttpFailure too-large, before it is all in memory */
async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAX_ANSWER_BYTES) {
      const mib = MAX_ANSWER_BYTES / 1024 ** 2;
      throw new HttpFailure('too-large', `the answer of the homeserver is larger than ${mib} MiB`);
    }
    chunks.push(chunk);
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}

function readAnswer(response: Response, text: string, nowMs: number): JsonObject {
  const parsed = parse(text);
  const body = asObject(parsed);
  if (response.ok && parsed !== undefined) return body;
  const answer = { status: response.status, body, retryAfterMs: retryAfter(response, body, nowMs) };
  if (response.ok) throw new HttpFailure('bad-answer', 'the homeserver answered something that is not JSON', answer);
  const words = asString(body.error) ?? (asString(body.errcode) === null ? 'not an answer of a homeserver' : '');
  const code = asString(body.errcode);
  throw new HttpFailure('status', `HTTP ${response.status}${code === null ? '' : ` ${code}`}: ${words}`, answer);
}

function parse(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined; // the caller tells what that means
  }
}

/** A date is as good as our clock, which may be years behind: no wait may last so long. */
const MAX_RETRY_AFTER_MS = 3_600_000;

/** RFC 9110 10.2.3: seconds or a date. Matrix deprecates the body's retry_after_ms in its favour; the longer one counts. */
function retryAfter(response: Response, body: JsonObject, nowMs: number): number | null {
  const header = response.headers.get('Retry-After');
  const fromBody = asNumber(body.retry_after_ms);
  const fromHeader =
    header === null ? Number.NaN : /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - nowMs;
  const longest = Math.max(fromBody ?? 0, Number.isFinite(fromHeader) ? fromHeader : 0);
  return longest > 0 ? Math.min(longest, MAX_RETRY_AFTER_MS) : null;
}

const UNREACHED: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'the homeserver refuses connections'],
  ['ENOTFOUND', 'the name of the homeserver cannot be resolved'],
  ['EAI_AGAIN', 'the name of the homeserver cannot be resolved at the moment'],
  ['EHOSTUNREACH', 'there is no route to the homeserver'],
  ['ENETUNREACH', 'the network is unreachable'],
  ['UND_ERR_CONNECT_TIMEOUT', 'connecting to the homeserver takes too long'],
]);

function connectionFailure(error: unknown): HttpFailure {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = errorCode(cause);
  const words = UNREACHED.get(code);
  if (words !== undefined) return new HttpFailure('unreached', `${words} (${code})`);
  if (/^(ERR_TLS|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/.test(code)) {
    return new HttpFailure('unreached', `the certificate of the homeserver is not trusted (${code})`);
  }
  if (error instanceof TypeError && cause === undefined) return new HttpFailure('unreached', errorText(error));
  return new HttpFailure('cut', `the connection to the homeserver broke (${code || errorText(cause ?? error)})`);
}
