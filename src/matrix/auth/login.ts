/** The Matrix login API: by password or login token, whoami, logout. No state. Client-server API sections 5 and 8. */

import type { JsonObject } from '../../util/json.ts';
import { RelayError } from '../../util/relay-error.ts';
import { toRelayError } from '../errors.ts';
import { HttpFailure } from '../http.ts';
import { asString } from '../json-read.ts';
import type { AuthContext } from './auth-context.ts';
import type { Credentials } from './credentials-file.ts';
import { revokeSession } from './oauth-server.ts';
import { lifetimeMs, readRenewal } from './token-answer.ts';
import { normalizeUserId } from './user-id.ts';

export interface LoginSettings {
  /** URL, or a bare host name. */
  readonly homeserver: string;
  /** Local part or full id. */
  readonly user: string;
  readonly password: string;
  /** What other clients show for our device. */
  readonly deviceName: string;
}

export interface LoginTarget extends AuthContext {
  /** Of the client API, from `discoverHomeserver`. */
  readonly baseUrl: string;
  /** The device to log in on, so that no new one appears in the account's list; null: a new one. */
  readonly deviceId: string | null;
  /** Ask for an access token that ends soon, and a refresh token. */
  readonly renewable?: boolean;
}

/**
 * Logs in with a password. Where the homeserver ends such sessions after a time, the login is made again as one that
 * can be renewed.
 * @throws RelayError MATRIX_LOGIN_REFUSED (wrong password, unknown user), MATRIX_LOGIN_UNSUPPORTED (no login API), MATRIX_RATE_LIMITED, MATRIX_UNAVAILABLE
 */
export async function loginWithPassword(settings: LoginSettings, target: LoginTarget): Promise<Credentials> {
  const userId = normalizeUserId(settings.user, settings.homeserver);
  if (userId === null) throw new RelayError('MATRIX_LOGIN_REFUSED', 'The user name is blank');
  const proof: JsonObject = {
    type: 'm.login.password',
    // The local part alone: the server part may be the host of a URL, which need not be the server's name.
    identifier: { type: 'm.id.user', user: userId.slice(1, userId.indexOf(':')) },
    password: settings.password,
    initial_device_display_name: settings.deviceName,
  };
  // As it was typed: the server part that we put behind a bare name may be the host of a URL, and puzzles.
  const doing = `log in as ${settings.user.trim()}`;
  const { session, endsAtMs } = await postLogin(proof, doing, target);
  const complete = { ...session, userId: session.userId ?? userId };
  if (endsAtMs === null || session.renewal !== undefined) return complete;
  const again = { ...target, deviceId: session.deviceId, renewable: true };
  return { ...complete, ...(await postLogin(proof, doing, again)).session };
}

export interface TokenLogin {
  readonly session: Credentials;
  /** When the homeserver ends it, Unix milliseconds; null: never, or it can be renewed. */
  readonly endsAtMs: number | null;
}

/** Logs in with the token that a single sign-on ends with. It is good once. @throws RelayError as by password */
export async function loginWithToken(
  login: { readonly token: string; readonly deviceName: string },
  target: LoginTarget,
): Promise<TokenLogin> {
  const proof = { type: 'm.login.token', token: login.token, initial_device_display_name: login.deviceName };
  return postLogin(proof, 'log in with the token of the browser', target);
}

async function postLogin(proof: JsonObject, doing: string, target: LoginTarget): Promise<TokenLogin> {
  const { http, timeoutMs, signal, clock, baseUrl, deviceId, renewable } = target;
  const body: JsonObject = {
    ...proof,
    ...(deviceId === null ? {} : { device_id: deviceId }),
    ...(renewable === true ? { refresh_token: true } : {}),
  };
  try {
    const answer = await http({ method: 'POST', url: `${baseUrl}/_matrix/client/v3/login`, body, timeoutMs, signal });
    const accessToken = asString(answer.access_token);
    if (accessToken === null) throw new RelayError('MATRIX_LOGIN_REFUSED', 'The login answer holds no access token');
    const renewal = readRenewal(answer, { nowMs: clock.now(), oauth: null });
    const lasts = renewal === null ? lifetimeMs(answer) : null;
    const session: Credentials = {
      homeserver: baseUrl,
      accessToken,
      deviceId: asString(answer.device_id),
      userId: asString(answer.user_id),
      ...(renewal && { renewal }),
    };
    return { session, endsAtMs: lasts === null ? null : clock.now() + lasts };
  } catch (error) {
    if (error instanceof HttpFailure && error.errcode === 'M_UNRECOGNIZED') {
      const message = `Could not ${doing}: the homeserver has other ways to log in, ask it with \`mmrelay auth login\``;
      throw new RelayError('MATRIX_LOGIN_UNSUPPORTED', message, { cause: error });
    }
    const failure = toRelayError(error, doing);
    if (failure.retry.kind !== 'never') throw failure;
    throw new RelayError('MATRIX_LOGIN_REFUSED', failure.message, { cause: error });
  }
}

/** Who the token belongs to. @throws HttpFailure */
export async function whoami(
  credentials: Pick<Credentials, 'homeserver' | 'accessToken'>,
  context: AuthContext,
): Promise<{ readonly userId: string; readonly deviceId: string | null }> {
  const { http, timeoutMs, signal } = context;
  const url = `${credentials.homeserver}/_matrix/client/v3/account/whoami`;
  const answer = await http({ method: 'GET', url, token: credentials.accessToken, timeoutMs, signal });
  const userId = asString(answer.user_id);
  if (userId === null) throw new HttpFailure('bad-answer', 'the whoami answer names no user');
  return { userId, deviceId: asString(answer.device_id) };
}

/** Ends the session on the server; a token it no longer knows counts as done. @throws RelayError */
export async function logout(credentials: Credentials, context: AuthContext): Promise<void> {
  const { http, timeoutMs, signal } = context;
  const { homeserver, accessToken: token, renewal } = credentials;
  try {
    if (renewal !== undefined && renewal.oauth !== null && renewal.oauth.revocationEndpoint !== null) {
      const { clientId, revocationEndpoint } = renewal.oauth;
      await revokeSession(revocationEndpoint, { clientId, refreshToken: renewal.refreshToken }, context);
      return;
    }
    await http({ method: 'POST', url: `${homeserver}/_matrix/client/v3/logout`, token, body: {}, timeoutMs, signal });
  } catch (error) {
    const failure = toRelayError(error, 'log out');
    if (failure.code !== 'MATRIX_LOGGED_OUT') throw failure;
  }
}
