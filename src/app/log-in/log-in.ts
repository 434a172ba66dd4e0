import { randomInt } from 'node:crypto';
import type { AppPaths } from '../../config/paths.ts';
import type { AuthContext } from '../../matrix/auth/auth-context.ts';
import { type Credentials, needWritable, writeCredentials } from '../../matrix/auth/credentials-file.ts';
import { type DevicePrompt, logInByDeviceGrant } from '../../matrix/auth/device-grant.ts';
import { discoverHomeserver, type LoginOffer, loginOffer } from '../../matrix/auth/discovery.ts';
import { loginWithPassword, loginWithToken, logout, whoami } from '../../matrix/auth/login.ts';
import { toRelayError } from '../../matrix/errors.ts';
import { createHttp } from '../../matrix/http.ts';
import { systemClock } from '../../util/clock.ts';
import { RelayError } from '../../util/relay-error.ts';
import { DEVICE_NAME } from '../account/choose-auth.ts';
import { importToken } from './import-token.ts';
import { keptDevice, knownSession } from './known-device.ts';
import type { LoginResult } from './login-result.ts';
import { type SsoDialogue, ssoToken } from './sso.ts';
import { needOffered } from './ways.ts';

export type LoginMethod =
  | { readonly kind: 'password'; readonly user: string; readonly password: string }
  | { readonly kind: 'sso'; readonly dialogue: SsoDialogue }
  | { readonly kind: 'oauth'; readonly show: (prompt: DevicePrompt) => void }
  /** A token that was made elsewhere. */
  | { readonly kind: 'token'; readonly token: string };

export interface LoginRequest {
  /** URL or host name. */
  readonly homeserver: string;
  readonly method: LoginMethod;
  /** Even where the keys of the old device are here. */
  readonly newDevice?: boolean;
  /** Ask for a session that ends soon and renews itself. */
  readonly renewable?: boolean;
}

const TIMEOUT_MS = 30_000;

interface Target extends AuthContext {
  readonly baseUrl: string;
  /** The device to go on with; null: a new one. */
  readonly deviceId: string | null;
  readonly renewable: boolean;
}

/** Asks a homeserver which ways in it offers. @throws RelayError MATRIX_* */
export async function askOffer(homeserver: string): Promise<LoginOffer> {
  const context = authContext();
  return loginOffer(await discoverHomeserver(homeserver, context), context);
}

/**
 * Logs in and stores the session. A device we had for this user is kept when its encryption keys are here; one whose
 * keys are lost, or were the Python relay's, could never encrypt again, so a new one takes its place.
 * @throws RelayError MATRIX_* with the reason in plain words
 */
export async function logIn(request: LoginRequest, paths: AppPaths): Promise<LoginResult> {
  needWritable(paths.credentials.path);
  const context = authContext();
  const { method, homeserver, renewable = false } = request;
  const baseUrl = await discoverHomeserver(homeserver, context);
  const user = method.kind === 'password' ? { name: method.user, homeserver } : null;
  const deviceId = request.newDevice === true ? null : await keptDevice(paths, { baseUrl, user }, context);
  const target: Target = { ...context, baseUrl, deviceId, renewable };
  const result =
    method.kind === 'token' ? await importToken(method.token, target, paths) : await enter(method, target, homeserver);
  if (deviceId !== null && method.kind !== 'token') await needSameUser(result.credentials, paths, context);
  writeCredentials(paths.credentials.path, result.credentials);
  return result;
}

async function enter(
  method: Exclude<LoginMethod, { kind: 'token' }>,
  target: Target,
  homeserver: string,
): Promise<LoginResult> {
  const offer = await loginOffer(target.baseUrl, target);
  needOffered(method.kind, offer, homeserver);
  if (method.kind === 'password') {
    const credentials = await loginWithPassword({ ...method, homeserver, deviceName: DEVICE_NAME }, target);
    return { credentials, notes: [] };
  }
  if (method.kind === 'sso') {
    const token = await ssoToken(target.baseUrl, method.dialogue, target.clock);
    const { session, endsAtMs } = await loginWithToken({ token, deviceName: DEVICE_NAME }, target);
    return { credentials: await withUser(session, target), notes: endsAtMs === null ? [] : [endNote(endsAtMs)] };
  }
  if (offer.oauth === null) throw new RelayError('MATRIX_LOGIN_REFUSED', 'The homeserver has no OAuth server');
  const deviceId = target.deviceId ?? newDeviceId();
  const session = await logInByDeviceGrant(offer.oauth, { ...target, deviceId, show: method.show });
  return { credentials: await withUser(session, target), notes: [] };
}

function endNote(endsAtMs: number): string {
  const date = new Date(endsAtMs).toISOString().slice(0, 16).replace('T', ' ');
  return `The homeserver ends this session at ${date} UTC. Log in with --renewable for one that renews itself.`;
}

/** The device is the server's to tell: it is in the token's scope, which it may have changed. */
async function withUser(session: Credentials, context: AuthContext): Promise<Credentials> {
  try {
    const who = await whoami(session, context);
    return { ...session, userId: who.userId, deviceId: who.deviceId };
  } catch (error) {
    throw toRelayError(error, 'ask whose session it is');
  }
}

/** In the browser somebody may log in as another: the device of this home is not theirs. */
async function needSameUser(fresh: Credentials, paths: AppPaths, context: AuthContext): Promise<void> {
  const known = knownSession(paths);
  if (known === null || known.userId === fresh.userId) return;
  await logout(fresh, context);
  throw new RelayError(
    'MATRIX_LOGIN_REFUSED',
    `You logged in as ${fresh.userId}, but this home belongs to ${known.userId}: use --new-device to change the account`,
  );
}

function authContext(): AuthContext {
  return { http: createHttp(systemClock), timeoutMs: TIMEOUT_MS, clock: systemClock };
}

/** Ten letters, as homeservers make them. */
function newDeviceId(): string {
  return Array.from({ length: 10 }, () => String.fromCharCode(65 + randomInt(26))).join('');
}
