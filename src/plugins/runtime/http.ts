import type { HttpAnswer, HttpOptions, Json } from '../api.ts';
import type { HttpFetch, RawHttpAnswer } from '../protocol.ts';

export interface HttpClientOptions {
  readonly hosts: readonly string[];
  readonly userAgent: string;
  readonly fetch: HttpFetch;
  /** Milliseconds, never going back. */
  readonly now: () => number;
}

const DEFAULT_TIMEOUT_MS = 10_000;
const MAX_TIMEOUT_MS = 60_000;
const DEFAULT_BYTES = 2 * 1024 * 1024;
const MAX_BYTES = 8 * 1024 * 1024;
const CACHE_ENTRIES = 100;
const CACHE_BYTES = 8 * 1024 * 1024;

interface Cached {
  readonly untilMs: number;
  readonly answer: RawHttpAnswer;
}

/**
 * HTTP for one plugin: declared hosts only, bounded in time and size. Holds a small cache of answers; invariant: it
 * never holds more than CACHE_BYTES.
 */
export class HttpClient {
  readonly #options: HttpClientOptions;
  readonly #cache = new Map<string, Cached>();
  readonly #running = new Map<string, Promise<RawHttpAnswer>>();

  constructor(options: HttpClientOptions) {
    this.#options = options;
  }

  /** @throws Error for a host that is not declared, a timeout, a body that is too large, or no connection */
  async get(address: string, options: HttpOptions = {}): Promise<HttpAnswer> {
    const url = withQuery(address, options.query ?? {});
    this.#check(url);
    const key = JSON.stringify([url.href, options.headers ?? {}]);
    const cached = this.#cache.get(key);
    if (cached !== undefined && cached.untilMs > this.#options.now()) return answerOf(cached.answer);
    // Two people asking the same at once cost one request.
    const running = this.#running.get(key) ?? this.#fetch(url, key, options);
    return answerOf(await running);
  }

  #fetch(url: URL, key: string, options: HttpOptions): Promise<RawHttpAnswer> {
    const { fetch, userAgent, now } = this.#options;
    const request = fetch({
      url: url.href,
      headers: { 'user-agent': userAgent, ...options.headers },
      timeoutMs: clamp(options.timeoutMs ?? DEFAULT_TIMEOUT_MS, 100, MAX_TIMEOUT_MS),
      maxBytes: clamp(options.maxBytes ?? DEFAULT_BYTES, 1, MAX_BYTES),
    })
      .then((answer) => {
        if (answer.status === 200 && (options.cacheMs ?? 0) > 0)
          this.#keep(key, { untilMs: now() + (options.cacheMs ?? 0), answer });
        return answer;
      })
      .finally(() => this.#running.delete(key));
    this.#running.set(key, request);
    return request;
  }

  #keep(key: string, entry: Cached): void {
    this.#cache.delete(key);
    this.#cache.set(key, entry);
    let bytes = [...this.#cache.values()].reduce((sum, { answer }) => sum + answer.body.length, 0);
    for (const [oldest, { answer }] of this.#cache) {
      if (this.#cache.size <= CACHE_ENTRIES && bytes <= CACHE_BYTES) break;
      this.#cache.delete(oldest);
      bytes -= answer.body.length;
    }
  }

  #check(url: URL): void {
    const local = isLoopback(url.hostname);
    if (url.protocol !== 'https:' && !(url.protocol === 'http:' && local))
      throw new Error(`Only https addresses may be asked, not ${url.protocol}//${url.host}`);
    if (url.username !== '' || url.password !== '') throw new Error('An address must not hold a password');
    const fine = this.#options.hosts.some((host) => matchesHost(host, url));
    if (!fine) throw new Error(`${url.host} is not in httpHosts of this plugin`);
  }
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\./.test(hostname);
}

/** `example.org`, `example.org:8080` or `*.example.org`. */
function matchesHost(pattern: string, url: URL): boolean {
  const wanted = pattern.toLowerCase();
  if (wanted.startsWith('*.')) return url.hostname.endsWith(wanted.slice(1));
  return wanted === url.host || wanted === url.hostname;
}

function withQuery(address: string, query: Readonly<Record<string, string | number>>): URL {
  const url = new URL(address);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value));
  return url;
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value));
}

function answerOf(raw: RawHttpAnswer): HttpAnswer {
  const body = raw.body.slice();
  const text = (): string => new TextDecoder().decode(body);
  return { status: raw.status, headers: raw.headers, body, text, json: () => JSON.parse(text()) as Json };
}
