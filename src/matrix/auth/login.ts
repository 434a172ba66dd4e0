/** Discovery, password login, whoami, logout: one request each, no state. Client-server API sections 5 and 8. */

import type { JsonObject } from '../../util/json.ts';
import { RelayError } from '../../util/relay-error.ts';
import { toRelayError } from '../errors.ts';
import { HttpFailure, type HttpSend } from '../http.ts';
import { asObject, asString } from '../json-read.ts';
import type { Credentials } from './credentials-file.ts';
import { normalizeHomeserverUrl, normalizeUserId } from './user-id.ts';

export interface LoginSettings {
  /** URL, or a bare host name. */
  readonly homeserver: string;
  /** Local part or full id. */
  readonly user: string;
  readonly password: string;
  /** What other clients show for our device. */
  readonly deviceName: string;
}

export interface AuthContext {
  readonly http: HttpSend;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Base URL of the client API behind a homeserver name, from `.well-known/matrix/client`. Whatever goes wrong there,
 * the given URL is taken: it is what the operator wrote.
 */
export async function discoverHomeserver(given: string, context: AuthContext): Promise<string> {
  const fallback = normalizeHomeserverUrl(given);
  try {
    const url = new URL('/.well-known/matrix/client', fallback).href;
    const answer = await context.http({ method: 'GET', url, timeoutMs: context.timeoutMs, signal: context.signal });
    const base = asString(asObject(answer['m.homeserver']).base_url);
    if (base === null || !/^https?:$/.test(URL.parse(base)?.protocol ?? '')) return fallback;
    return normalizeHomeserverUrl(base);
  } catch (error) {
    if (error instanceof HttpFailure) return fallback;
    throw error;
  }
}

/**
 * Logs in with a password, on the device given, if any, so that no new one appears in the account's list.
 * @param baseUrl of the client API, from `discoverHomeserver`
 * @throws RelayError MATRIX_LOGIN_REFUSED (wrong password, unknown user, no password login), MATRIX_RATE_LIMITED, MATRIX_UNAVAILABLE
 */
export async function loginWithPassword(
  settings: LoginSettings,
  options: AuthContext & { readonly baseUrl: string; readonly deviceId: string | null },
): Promise<Credentials> {
  const userId = normalizeUserId(settings.user, settings.homeserver);
  if (userId === null) throw new RelayError('MATRIX_LOGIN_REFUSED', 'The user name is blank');
  const body: JsonObject = {
    type: 'm.login.password',
    // The local part alone: the server part may be the host of a URL, which need not be the server's name.
    identifier: { type: 'm.id.user', user: userId.slice(1, userId.indexOf(':')) },
    password: settings.password,
    initial_device_display_name: settings.deviceName,
    ...(options.deviceId === null ? {} : { device_id: options.deviceId }),
  };
  const url = `${options.baseUrl}/_matrix/client/v3/login`;
  try {
    const answer = await options.http({
      method: 'POST',
      url,
      body,
      timeoutMs: options.timeoutMs,
      signal: options.signal,
    });
    const accessToken = asString(answer.access_token);
    if (accessToken === null) throw new RelayError('MATRIX_LOGIN_REFUSED', 'The login answer holds no access token');
    const deviceId = asString(answer.device_id);
    return { homeserver: options.baseUrl, accessToken, deviceId, userId: asString(answer.user_id) ?? userId };
  } catch (error) {
    const failure = toRelayError(error, `log in as ${userId}`);
    if (failure.retry.kind !== 'never') throw failure;
    throw new RelayError('MATRIX_LOGIN_REFUSED', failure.message, { cause: error });
  }
}

/** Who the token belongs to. @throws HttpFailure */
export async function whoami(
  credentials: Pick<Credentials, 'homeserver' | 'accessToken'>,
  context: AuthContext,
): Promise<{ readonly userId: string; readonly deviceId: string | null }> {
  const url = `${credentials.homeserver}/_matrix/client/v3/account/whoami`;
  const token = credentials.accessToken;
  const answer = await context.http({
    method: 'GET',
    url,
    token,
    timeoutMs: context.timeoutMs,
    signal: context.signal,
  });
  const userId = asString(answer.user_id);
  if (userId === null) throw new HttpFailure('bad-answer', 'the whoami answer names no user');
  return { userId, deviceId: asString(answer.device_id) };
}

/** Ends the session on the server; a token it no longer knows counts as done. @throws RelayError */
export async function logout(credentials: Credentials, context: AuthContext): Promise<void> {
  const url = `${credentials.homeserver}/_matrix/client/v3/logout`;
  const token = credentials.accessToken;
  try {
    await context.http({ method: 'POST', url, token, body: {}, timeoutMs: context.timeoutMs, signal: context.signal });
  } catch (error) {
    const failure = toRelayError(error, 'log out');
    if (failure.code !== 'MATRIX_LOGGED_OUT') throw failure;
  }
}
