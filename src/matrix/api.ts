/** Requests with the account's token, made again with a new one when it was renewed. Stateless beyond what it is given. */

import type { JsonObject } from '../util/json.ts';
import { RETRY_LATER, RelayError } from '../util/relay-error.ts';
import { isLoggedOut, keepsDevice } from './errors.ts';
import type { HttpSend } from './http.ts';

export interface ApiCall {
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: JsonObject | Uint8Array;
  readonly contentType?: string;
  readonly timeoutMs?: number;
}

export interface MatrixApi {
  /**
   * @param path under the homeserver's URL, percent-encoded (see `path`)
   * @throws HttpFailure, or RelayError MATRIX_NOT_READY (later) before the account is known
   */
  request(method: 'GET' | 'POST' | 'PUT', path: string, call?: ApiCall): Promise<JsonObject>;
}

/** Where the token of a request comes from: an Account, or a session as it is. */
export interface TokenSource {
  /** null before the account is known. */
  fresh(): Promise<{ readonly homeserver: string; readonly accessToken: string } | null>;
  /** The token was refused. @returns true when there is another one by now. @throws RelayError when not yet */
  replace(token: string, device: { readonly kept: boolean }): Promise<boolean>;
}

/** A session that is used as it is. */
export function fixedToken(session: { readonly homeserver: string; readonly accessToken: string }): TokenSource {
  return { fresh: () => Promise.resolve(session), replace: () => Promise.resolve(false) };
}

export function createApi(options: {
  readonly tokens: TokenSource;
  readonly http: HttpSend;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}): MatrixApi {
  const { tokens, http, signal } = options;
  const send = async (
    method: 'GET' | 'POST' | 'PUT',
    path: string,
    call: ApiCall,
    retry: boolean,
  ): Promise<JsonObject> => {
    const session = await tokens.fresh();
    if (session === null) {
      throw new RelayError('MATRIX_NOT_READY', 'The Matrix account is not logged in yet', { retry: RETRY_LATER });
    }
    const query = call.query === undefined ? '' : `?${new URLSearchParams(call.query)}`;
    const { query: _query, timeoutMs = options.timeoutMs, ...rest } = call;
    const token = session.accessToken;
    try {
      return await http({ method, url: `${session.homeserver}${path}${query}`, token, timeoutMs, signal, ...rest });
    } catch (error) {
      if (!isLoggedOut(error) || !(await tokens.replace(token, { kept: keepsDevice(error) })) || !retry) throw error;
    }
    return send(method, path, call, false);
  };
  return { request: (method, path, call = {}) => send(method, path, call, true) };
}

/** `/_matrix/client/v3/...` with every interpolated part percent-encoded. */
export function path(parts: TemplateStringsArray, ...values: readonly string[]): string {
  return `/_matrix/client/v3${parts.map((part, i) => part + encodeURIComponent(values[i] ?? '')).join('')}`;
}
