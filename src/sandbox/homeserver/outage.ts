/** Ways in which a homeserver can be away. */
export type Outage =
  /** The port is closed. */
  | { readonly kind: 'refuse' }
  /** Requests are taken and never answered, nor processed. */
  | { readonly kind: 'hang' }
  /** What nginx says when Synapse is down. */
  | { readonly kind: 'bad-gateway' }
  /** 401 M_UNKNOWN_TOKEN for everything. */
  | { readonly kind: 'unknown-token'; readonly softLogout?: boolean }
  /** 429 M_LIMIT_EXCEEDED for everything. */
  | { readonly kind: 'rate-limited'; readonly retryAfterMs: number }
  /** 200 and a web page for everything, as of a captive portal. */
  | { readonly kind: 'web-page' }
  /** /sync gives its last answer again, from before this began. */
  | { readonly kind: 'old-sync' }
  /** 500 M_UNKNOWN. */
  | { readonly kind: 'internal-error' }
  /** The request is processed, but the connection dies before the answer. */
  | { readonly kind: 'drop-answer' }
  /** Each request waits that long before it is processed. */
  | { readonly kind: 'slow'; readonly delayMs: number };

export interface OutageScope {
  /** Only requests whose `METHOD path` matches; all when absent. Means nothing to `refuse`. */
  readonly only?: RegExp;
  /** Ends by itself after so many requests. */
  readonly times?: number;
}

/** The outage in force. One per homeserver. */
export class OutageSwitch {
  #outage: Outage | null = null;
  #only: RegExp | null = null;
  #left = 0;

  set(outage: Outage | null, scope: OutageScope = {}): void {
    this.#outage = outage;
    this.#only = scope.only ?? null;
    this.#left = scope.times ?? Number.POSITIVE_INFINITY;
  }

  /** The outage that this request meets; counts it. */
  meet(method: string, path: string): Outage | null {
    const outage = this.#outage;
    if (outage === null || (this.#only !== null && !this.#only.test(`${method} ${path}`))) return null;
    this.#left -= 1;
    if (this.#left <= 0) this.#outage = null;
    return outage;
  }
}

export const BAD_GATEWAY_HTML = [
  '<html>',
  '<head><title>502 Bad Gateway</title></head>',
  '<body>',
  '<center><h1>502 Bad Gateway</h1></center>',
  '<hr><center>nginx/1.22.1</center>',
  '</body>',
  '</html>',
  '',
].join('\r\n');
