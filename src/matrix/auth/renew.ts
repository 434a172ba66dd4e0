/** The next access token of a session. Client-server API "Refreshing access tokens"; RFC 6749 section 6. */

import type { JsonObject } from '../../util/json.ts';
import { errorText, RETRY_LATER, RelayError } from '../../util/relay-error.ts';
import { toRelayError } from '../errors.ts';
import { HttpFailure } from '../http.ts';
import { asString } from '../json-read.ts';
import type { AuthContext } from './auth-context.ts';
import type { Credentials, Renewal } from './credentials-file.ts';
import { oauthError, postForm } from './oauth-server.ts';
import { readRenewal } from './token-answer.ts';

/** Renewed so long before its end, for a request may wait for its answer and clocks differ. */
export const RENEW_AHEAD_MS = 60_000;

export function isEnding(session: Credentials, nowMs: number): boolean {
  return hasEnded(session, nowMs + RENEW_AHEAD_MS);
}

/** False for a session whose end is not known. */
export function hasEnded(session: Credentials, nowMs: number): boolean {
  const endMs = session.renewal?.expiresAtMs ?? null;
  return endMs !== null && endMs <= nowMs;
}

/**
 * Exchanges the refresh token. The new one must be stored before it is used: as long as it is unused, servers take the
 * old one once more, so a crash in between loses nothing.
 * @throws RelayError MATRIX_LOGGED_OUT when the refresh token is no longer good, else what the network gave
 */
export async function renewSession(
  session: Credentials,
  renewal: Renewal,
  context: AuthContext,
): Promise<Credentials & { readonly renewal: Renewal }> {
  const { refreshToken: previous, oauth } = renewal;
  const answer = await exchange(session, renewal, context);
  const accessToken = asString(answer.access_token);
  const next = readRenewal(answer, { nowMs: context.clock.now(), oauth, previous });
  if (accessToken === null || next === null) {
    const failure = new HttpFailure('bad-answer', 'the answer holds no access token');
    throw toRelayError(failure, 'renew the session');
  }
  return { ...session, accessToken, renewal: next };
}

async function exchange(session: Credentials, renewal: Renewal, context: AuthContext): Promise<JsonObject> {
  const { http, timeoutMs, signal } = context;
  const { refreshToken, oauth } = renewal;
  try {
    if (oauth === null) {
      const url = `${session.homeserver}/_matrix/client/v3/refresh`;
      return await http({ method: 'POST', url, body: { refresh_token: refreshToken }, timeoutMs, signal });
    }
    const form = { grant_type: 'refresh_token', refresh_token: refreshToken, client_id: oauth.clientId };
    return await postForm(oauth.tokenEndpoint, form, context);
  } catch (error) {
    if (!isOver(error)) throw toRelayError(error, 'renew the session');
    const message = `The session cannot be renewed: ${errorText(error)}`;
    throw new RelayError('MATRIX_LOGGED_OUT', message, { retry: RETRY_LATER, cause: error });
  }
}

/** Synapse says 403 for a token that was replaced, 401 for one it does not know; OAuth says `invalid_grant`. */
function isOver(error: unknown): boolean {
  if (!(error instanceof HttpFailure)) return false;
  const refused = error.status === 401 || error.status === 403;
  return (refused && error.errcode !== null) || /^invalid_(grant|client)$/.test(oauthError(error) ?? '');
}
