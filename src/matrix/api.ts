/** Requests with the account's token. Stateless beyond what it is given; tells the account when its token is refused. */

import type { JsonObject } from '../util/json.ts';
import { RETRY_LATER, RelayError } from '../util/relay-error.ts';
import type { Account } from './auth/account.ts';
import { isLoggedOut } from './errors.ts';
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

export function createApi(options: {
  readonly account: Account;
  readonly http: HttpSend;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}): MatrixApi {
  return {
    async request(method, path, call = {}) {
      const credentials = options.account.current();
      if (credentials === null) {
        throw new RelayError('MATRIX_NOT_READY', 'The Matrix account is not logged in yet', { retry: RETRY_LATER });
      }
      const query = call.query === undefined ? '' : `?${new URLSearchParams(call.query)}`;
      const { query: _query, timeoutMs = options.timeoutMs, ...rest } = call;
      const token = credentials.accessToken;
      const url = `${credentials.homeserver}${path}${query}`;
      try {
        return await options.http({ method, url, token, timeoutMs, signal: options.signal, ...rest });
      } catch (error) {
        if (isLoggedOut(error)) options.account.refuse(token);
        throw error;
      }
    },
  };
}

/** `/_matrix/client/v3/...` with every interpolated part percent-encoded. */
export function path(parts: TemplateStringsArray, ...values: readonly string[]): string {
  return `/_matrix/client/v3${parts.map((part, i) => part + encodeURIComponent(values[i] ?? '')).join('')}`;
}
