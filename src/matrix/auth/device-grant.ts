/**
 * The OAuth 2.0 device flow (RFC 8628): the user opens an address on any machine and says yes there, we ask until it
 * is said. Needs no browser and no open port here.
 */

import { sleep } from '../../util/clock.ts';
import type { JsonObject } from '../../util/json.ts';
import { plural } from '../../util/plural.ts';
import { RelayError } from '../../util/relay-error.ts';
import { HttpFailure } from '../http.ts';
import { asNumber, asString } from '../json-read.ts';
import type { AuthContext } from './auth-context.ts';
import type { Credentials } from './credentials-file.ts';
import { DEVICE_GRANT, type OAuthServer, oauthError, oauthFailure, postForm, registerClient } from './oauth-server.ts';
import { readRenewal } from './token-answer.ts';

/** What the user has to do. */
export interface DevicePrompt {
  readonly address: string;
  /** To be typed there. */
  readonly userCode: string;
  /** The same address with the code in it, when the server gives one. */
  readonly completeAddress: string | null;
  readonly validMs: number;
}

interface Grant {
  readonly deviceCode: string;
  readonly intervalMs: number;
  readonly prompt: DevicePrompt;
}

const DEFAULT_INTERVAL_MS = 5_000;
/** RFC 8628 3.5: by so much for good, at each `slow_down`. */
const SLOW_DOWN_MS = 5_000;
const DEFAULT_VALID_MS = 600_000;

/**
 * Logs in on the device `deviceId`, made by this login when the account has none of that name.
 * @returns the session without the user, whom `whoami` tells
 * @throws RelayError MATRIX_LOGIN_REFUSED (declined), MATRIX_LOGIN_EXPIRED (nobody answered), MATRIX_*
 */
export async function logInByDeviceGrant(
  server: OAuthServer,
  options: AuthContext & {
    readonly baseUrl: string;
    readonly deviceId: string;
    readonly show: (prompt: DevicePrompt) => void;
  },
): Promise<Credentials> {
  const { baseUrl, deviceId, clock } = options;
  const clientId = await registerClient(server, options);
  const grant = await askForGrant(server, clientId, options);
  options.show(grant.prompt);
  const { tokenEndpoint, revocationEndpoint } = server;
  const answer = await untilDecided(grant, { ...options, tokenEndpoint, clientId });
  const accessToken = asString(answer.access_token);
  if (accessToken === null) throw new RelayError('MATRIX_LOGIN_REFUSED', 'The OAuth answer holds no access token');
  const renewal = readRenewal(answer, { nowMs: clock.now(), oauth: { clientId, tokenEndpoint, revocationEndpoint } });
  return { homeserver: baseUrl, accessToken, deviceId, userId: null, ...(renewal && { renewal }) };
}

async function askForGrant(
  server: OAuthServer,
  clientId: string,
  options: AuthContext & { readonly deviceId: string },
): Promise<Grant> {
  if (server.deviceEndpoint === null) {
    throw new RelayError('MATRIX_LOGIN_REFUSED', 'The OAuth server of the homeserver has no device flow');
  }
  const prefix = server.scopes === 'stable' ? 'urn:matrix:client' : 'urn:matrix:org.matrix.msc2967.client';
  const scope = `${prefix}:api:* ${prefix}:device:${options.deviceId}`;
  try {
    const answer = await postForm(server.deviceEndpoint, { client_id: clientId, scope }, options);
    const deviceCode = asString(answer.device_code);
    const [address, userCode] = [asString(answer.verification_uri), asString(answer.user_code)];
    if (deviceCode !== null && address !== null && userCode !== null) {
      const completeAddress = asString(answer.verification_uri_complete);
      const validMs = seconds(answer, 'expires_in') ?? DEFAULT_VALID_MS;
      const intervalMs = seconds(answer, 'interval') ?? DEFAULT_INTERVAL_MS;
      return { deviceCode, intervalMs, prompt: { address, userCode, completeAddress, validMs } };
    }
  } catch (error) {
    throw oauthFailure(error, 'begin the OAuth login');
  }
  throw new RelayError('MATRIX_LOGIN_REFUSED', 'The OAuth server gave no code for the login');
}

async function untilDecided(
  grant: Grant,
  options: AuthContext & { readonly tokenEndpoint: string; readonly clientId: string },
): Promise<JsonObject> {
  const { clock, signal, tokenEndpoint, clientId } = options;
  const form = { grant_type: DEVICE_GRANT, device_code: grant.deviceCode, client_id: clientId };
  const endMs = clock.monotonic() + grant.prompt.validMs;
  let { intervalMs } = grant;
  while (clock.monotonic() + intervalMs < endMs) {
    await sleep(clock, intervalMs, signal);
    signal?.throwIfAborted();
    try {
      return await postForm(tokenEndpoint, form, options);
    } catch (error) {
      const code = oauthError(error);
      if (code === 'access_denied') {
        throw new RelayError('MATRIX_LOGIN_REFUSED', 'The login was declined in the browser', { cause: error });
      }
      if (code === 'expired_token') break;
      if (code === 'slow_down') intervalMs += SLOW_DOWN_MS;
      else if (code === null && isPassing(error)) intervalMs *= 2;
      else if (code !== 'authorization_pending') throw oauthFailure(error, 'complete the OAuth login');
    }
  }
  const minutes = plural(Math.round(grant.prompt.validMs / 60_000), 'minute');
  throw new RelayError('MATRIX_LOGIN_EXPIRED', `Nobody confirmed the login within ${minutes}: try again`);
}

/** An outage, or a proxy in between: the user may well have said yes meanwhile. */
function isPassing(error: unknown): boolean {
  return error instanceof HttpFailure && error.kind !== 'aborted' && (error.status === 0 || error.status >= 429);
}

function seconds(answer: JsonObject, key: string): number | null {
  const value = asNumber(answer[key]);
  return value === null || value <= 0 ? null : value * 1000;
}
