import type { JsonObject } from '../../util/json.ts';
import { MatrixError } from './matrix-error.ts';
import type { Session } from './types.ts';

export interface Reply {
  readonly status?: number;
  readonly json?: JsonObject | readonly JsonObject[];
  readonly bytes?: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface RouteRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly raw: Buffer;
  readonly contentType: string;
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal;
  /** The JSON body; an empty body is an empty object. Throws M_NOT_JSON. */
  json(): JsonObject;
  /** A part of the path, decoded. */
  param(name: string): string;
}

export type OpenHandler = (request: RouteRequest) => Reply | Promise<Reply>;
export type Handler = (request: RouteRequest, session: Session) => Reply | Promise<Reply>;

interface Route {
  readonly method: string;
  readonly pattern: RegExp;
  readonly names: readonly string[];
  readonly open: OpenHandler | null;
  readonly handler: Handler | null;
}

export interface Match {
  readonly params: ReadonlyMap<string, string>;
  readonly open: OpenHandler | null;
  readonly handler: Handler | null;
}

/** The table of endpoints. One per homeserver. `v3` in a pattern also stands for `r0`. */
export class Router {
  readonly #routes: Route[] = [];

  /** Needs an access token. */
  on(method: string, path: string, handler: Handler): void {
    this.#routes.push({ method, ...compile(path), open: null, handler });
  }

  /** Needs none. */
  onOpen(method: string, path: string, open: OpenHandler): void {
    this.#routes.push({ method, ...compile(path), open, handler: null });
  }

  match(method: string, path: string): Match {
    let known = false;
    for (const route of this.#routes) {
      const found = route.pattern.exec(path);
      if (found === null) continue;
      known = true;
      if (route.method !== method) continue;
      const params = new Map(route.names.map((name, index) => [name, decodeURIComponent(found[index + 1] ?? '')]));
      return { params, open: route.open, handler: route.handler };
    }
    throw new MatrixError(known ? 405 : 404, 'M_UNRECOGNIZED', 'Unrecognized request');
  }
}

function compile(path: string): { readonly pattern: RegExp; readonly names: readonly string[] } {
  const names: string[] = [];
  const source = path.replace('/v3/', '/(?:v3|r0)/').replace(/\{(\w+)\}/g, (_whole, name: string) => {
    names.push(name);
    return '([^/]*)';
  });
  return { pattern: new RegExp(`^${source}/?$`), names };
}
