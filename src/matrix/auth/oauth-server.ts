/** The OAuth 2.0 server of a homeserver: its addresses, and our registration there. Client-server API "OAuth 2.0 API". */

import type { JsonObject, JsonValue } from '../../util/json.ts';
import { RelayError } from '../../util/relay-error.ts';
import { toRelayError } from '../errors.ts';
import { HttpFailure, type HttpSend } from '../http.ts';
import { asString } from '../json-read.ts';
import type { AuthContext } from './auth-context.ts';

export interface OAuthServer {
  readonly tokenEndpoint: string;
  readonly registrationEndpoint: string | null;
  /** null: the server has no device flow (RFC 8628). */
  readonly deviceEndpoint: string | null;
  readonly revocationEndpoint: string | null;
  /** Which names of the scopes it understands: those of the specification, or those of MSC2967 before it. */
  readonly scopes: 'stable' | 'unstable';
}

export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

/** @returns null when the homeserver has none. @throws RelayError MATRIX_* when it cannot be asked */
export async function oauthServer(baseUrl: string, context: AuthContext): Promise<OAuthServer | null> {
  const stable = await getIfThere(`${baseUrl}/_matrix/client/v1/auth_metadata`, context);
  if (stable !== null) return parseMetadata(stable, 'stable');
  const unstable = `${baseUrl}/_matrix/client/unstable/org.matrix.msc2965`;
  const metadata = await getIfThere(`${unstable}/auth_metadata`, context);
  if (metadata !== null) return parseMetadata(metadata, 'unstable');
  const issuer = webAddress((await getIfThere(`${unstable}/auth_issuer`, context))?.issuer);
  if (issuer === null) return null;
  const discovered = await getIfThere(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, context);
  return discovered === null ? null : parseMetadata(discovered, 'unstable');
}

async function getIfThere(url: string, context: AuthContext): Promise<JsonObject | null> {
  const { http, timeoutMs, signal } = context;
  try {
    return await http({ method: 'GET', url, timeoutMs, signal });
  } catch (error) {
    // Whatever a homeserver without it says: 404, 405, or a proxy's page.
    if (error instanceof HttpFailure && (error.kind === 'bad-answer' || is4xx(error.status))) return null;
    throw toRelayError(error, `ask ${new URL(url).origin} how to log in`);
  }
}

function is4xx(status: number): boolean {
  return status >= 400 && status < 500 && status !== 429;
}

function parseMetadata(metadata: JsonObject, scopes: OAuthServer['scopes']): OAuthServer | null {
  const tokenEndpoint = webAddress(metadata.token_endpoint);
  if (tokenEndpoint === null) return null;
  return {
    tokenEndpoint,
    registrationEndpoint: webAddress(metadata.registration_endpoint),
    deviceEndpoint: webAddress(metadata.device_authorization_endpoint),
    revocationEndpoint: webAddress(metadata.revocation_endpoint),
    scopes,
  };
}

function webAddress(value: JsonValue | undefined): string | null {
  const text = asString(value);
  return text !== null && /^https?:$/.test(URL.parse(text)?.protocol ?? '') ? text : null;
}

/** Makes us known to the server (RFC 7591). @returns our client id @throws RelayError MATRIX_LOGIN_REFUSED, MATRIX_* */
export async function registerClient(server: OAuthServer, context: AuthContext): Promise<string> {
  if (server.registrationEndpoint === null) {
    throw new RelayError('MATRIX_LOGIN_REFUSED', 'The homeserver lets no new programs register for OAuth logins');
  }
  const body: JsonObject = {
    client_name: 'mmrelay',
    client_uri: 'https://github.com/jeremiah-k/meshtastic-matrix-relay',
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    // We use the device flow alone, but tuwunel takes no client that could not come back from a browser as well.
    grant_types: ['authorization_code', 'refresh_token', DEVICE_GRANT],
    response_types: ['code'],
    redirect_uris: ['http://127.0.0.1/callback'],
  };
  const { http, timeoutMs, signal } = context;
  try {
    const answer = await http({ method: 'POST', url: server.registrationEndpoint, body, timeoutMs, signal });
    const clientId = asString(answer.client_id);
    if (clientId !== null) return clientId;
  } catch (error) {
    throw oauthFailure(error, 'register for the OAuth login');
  }
  throw new RelayError('MATRIX_LOGIN_REFUSED', 'The OAuth server registered us without a client id');
}

/** A form, as OAuth endpoints want it (RFC 6749 appendix B). @throws HttpFailure */
export function postForm(
  url: string,
  form: Readonly<Record<string, string>>,
  context: { readonly http: HttpSend; readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
): Promise<JsonObject> {
  const { http, timeoutMs, signal } = context;
  const body = Buffer.from(new URLSearchParams(form).toString());
  return http({ method: 'POST', url, body, contentType: 'application/x-www-form-urlencoded', timeoutMs, signal });
}

/** With the refresh token goes the whole session (RFC 7009). @throws HttpFailure */
export async function revokeSession(
  url: string,
  session: { readonly clientId: string; readonly refreshToken: string },
  context: AuthContext,
): Promise<void> {
  const { clientId, refreshToken } = session;
  try {
    await postForm(url, { token: refreshToken, token_type_hint: 'refresh_token', client_id: clientId }, context);
  } catch (error) {
    // A success has a body that means nothing: with Matrix Authentication Service it is empty.
    if (!(error instanceof HttpFailure) || error.kind !== 'bad-answer') throw error;
  }
}

/** The error code of an OAuth answer, as `authorization_pending`; null for any other failure (RFC 6749 5.2). */
export function oauthError(error: unknown): string | null {
  if (!(error instanceof HttpFailure) || error.status < 400 || error.status >= 500) return null;
  return error.errcode === null ? asString(error.body.error) : null;
}

/** @returns MATRIX_LOGIN_REFUSED when the OAuth server said no, else what the failure means elsewhere */
export function oauthFailure(error: unknown, doing: string): RelayError {
  const code = oauthError(error);
  if (code === null || !(error instanceof HttpFailure)) return toRelayError(error, doing);
  const words = asString(error.body.error_description) ?? code;
  return new RelayError('MATRIX_LOGIN_REFUSED', `Could not ${doing}: ${words}`, { cause: error });
}
