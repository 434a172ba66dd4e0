/** Where a homeserver is, and which ways in it offers. Client-server API "Server discovery", "Login", "OAuth 2.0 API". */

import { toRelayError } from '../errors.ts';
import { HttpFailure } from '../http.ts';
import { asObject, asObjects, asString } from '../json-read.ts';
import type { AuthContext } from './auth-context.ts';
import { type OAuthServer, oauthServer } from './oauth-server.ts';
import { normalizeHomeserverUrl } from './user-id.ts';

/**
 * Base URL of the client API behind a homeserver name, from `.well-known/matrix/client`. Whatever goes wrong there,
 * the given URL is taken: it is what the operator wrote.
 */
export async function discoverHomeserver(given: string, context: AuthContext): Promise<string> {
  const fallback = normalizeHomeserverUrl(given);
  const { http, timeoutMs, signal } = context;
  try {
    const url = new URL('/.well-known/matrix/client', fallback).href;
    const answer = await http({ method: 'GET', url, timeoutMs, signal });
    const base = asString(asObject(answer['m.homeserver']).base_url);
    if (base === null || !/^https?:$/.test(URL.parse(base)?.protocol ?? '')) return fallback;
    return normalizeHomeserverUrl(base);
  } catch (error) {
    if (error instanceof HttpFailure) return fallback;
    throw error;
  }
}

export interface LoginOffer {
  readonly password: boolean;
  /** In the browser, by `m.login.sso` and a login token. */
  readonly sso: boolean;
  /** null: no OAuth 2.0, the Matrix login API alone. */
  readonly oauth: OAuthServer | null;
  /** The login types as the homeserver names them. */
  readonly types: readonly string[];
}

/** Asks the homeserver for its login types and its OAuth server. @throws RelayError MATRIX_* when it does not answer */
export async function loginOffer(baseUrl: string, context: AuthContext): Promise<LoginOffer> {
  const oauth = await oauthServer(baseUrl, context);
  const types = await loginTypes(baseUrl, context, oauth !== null);
  const sso = types.includes('m.login.sso') && types.includes('m.login.token');
  return { password: types.includes('m.login.password'), sso, oauth, types };
}

async function loginTypes(baseUrl: string, context: AuthContext, optional: boolean): Promise<readonly string[]> {
  const { http, timeoutMs, signal } = context;
  try {
    const answer = await http({ method: 'GET', url: `${baseUrl}/_matrix/client/v3/login`, timeoutMs, signal });
    return asObjects(answer.flows).flatMap(({ type }) => asString(type) ?? []);
  } catch (error) {
    // A homeserver with OAuth alone need not have the old login API.
    if (optional && error instanceof HttpFailure && error.status === 404) return [];
    throw toRelayError(error, `ask ${baseUrl} how to log in`);
  }
}
