/**
 * credentials.json: read tolerantly, written atomically and for the owner only (spec 01 section 5.1). The keys of a
 * session that renews itself follow those that the Python relay knows, which ignores and keeps them.
 */

import { accessSync, constants, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { writeFileDurably } from '../../util/durable-file.ts';
import { isObject, type JsonObject, type JsonValue } from '../../util/json.ts';
import { errorText, RelayError } from '../../util/relay-error.ts';
import { asNumber, asObject, asString } from '../json-read.ts';

export interface Credentials {
  readonly homeserver: string;
  readonly accessToken: string;
  /** null or absent in files of token-only logins: asked from the server at start. */
  readonly deviceId: string | null;
  readonly userId: string | null;
  /** Absent when the access token is for good. */
  readonly renewal?: Renewal | undefined;
}

/** How a session gets its next access token. */
export interface Renewal {
  readonly refreshToken: string;
  /** End of the access token, Unix milliseconds; null when the server did not say. */
  readonly expiresAtMs: number | null;
  /** Whom to ask; null: the homeserver itself (a session of its login API). */
  readonly oauth: OAuthClient | null;
}

/** We, as the OAuth server of the homeserver knows us. */
export interface OAuthClient {
  readonly clientId: string;
  readonly tokenEndpoint: string;
  readonly revocationEndpoint: string | null;
}

/** What of it must never be shown. */
export function tokensOf({ accessToken, renewal }: Credentials): readonly string[] {
  return renewal === undefined ? [accessToken] : [accessToken, renewal.refreshToken];
}

/** @throws RelayError MATRIX_CREDENTIALS_UNREADABLE (missing, no access), MATRIX_CREDENTIALS_INVALID (content) */
export function readCredentials(path: string): Credentials {
  const file = readObject(path);
  const [homeserver, accessToken] = [textAt(file, 'homeserver'), textAt(file, 'access_token')];
  const missing = [homeserver === null ? 'homeserver' : '', accessToken === null ? 'access_token' : ''].filter(Boolean);
  if (homeserver === null || accessToken === null) {
    throw new RelayError('MATRIX_CREDENTIALS_INVALID', `${path} lacks ${missing.join(' and ')}`);
  }
  const userId = textAt(file, 'user_id') ?? textAt(file, 'bot_user_id');
  const renewal = readRenewal(file);
  return { homeserver, accessToken, deviceId: textAt(file, 'device_id'), userId, ...(renewal && { renewal }) };
}

function readRenewal(file: JsonObject): Renewal | null {
  const refreshToken = textAt(file, 'refresh_token');
  if (refreshToken === null) return null;
  const expiresAtMs = asNumber(file.expires_at_ms);
  if (file.oauth === undefined) return { refreshToken, expiresAtMs, oauth: null };
  const oauth = asObject(file.oauth);
  const [clientId, tokenEndpoint] = [textAt(oauth, 'client_id'), textAt(oauth, 'token_endpoint')];
  if (clientId === null || tokenEndpoint === null) return null;
  const revocationEndpoint = textAt(oauth, 'revocation_endpoint');
  return { refreshToken, expiresAtMs, oauth: { clientId, tokenEndpoint, revocationEndpoint } };
}

function textAt(object: JsonObject, key: string): string | null {
  return asString(object[key])?.trim() || null;
}

/**
 * Replaces the file in one step: at any instant there is the old one or the new one. Keys we do not know stay.
 * @throws RelayError MATRIX_CREDENTIALS_UNWRITABLE
 */
export function writeCredentials(path: string, credentials: Credentials): void {
  const known = {
    homeserver: credentials.homeserver,
    access_token: credentials.accessToken,
    device_id: credentials.deviceId,
    ...(credentials.userId === null ? {} : { user_id: credentials.userId }),
    ...renewalKeys(credentials.renewal),
  };
  const content = { ...known, ...extraKeys(path) };
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileDurably(path, JSON.stringify(content, null, 2));
  } catch (error) {
    throw unwritable(path, error);
  }
}

/**
 * To be asked before a login: a session that cannot be stored leaves a device on the homeserver. Writes nothing.
 * @throws RelayError MATRIX_CREDENTIALS_UNWRITABLE
 */
export function needWritable(path: string): void {
  let folder = dirname(path);
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw unwritable(path, error);
  }
}

function unwritable(path: string, error: unknown): RelayError {
  const message = `${path} cannot be written: ${errorText(error)}`;
  return new RelayError('MATRIX_CREDENTIALS_UNWRITABLE', message, { cause: error });
}

function renewalKeys(renewal: Renewal | undefined): JsonObject {
  if (renewal === undefined) return {};
  const { refreshToken, expiresAtMs, oauth } = renewal;
  const tokens = { refresh_token: refreshToken, ...(expiresAtMs === null ? {} : { expires_at_ms: expiresAtMs }) };
  if (oauth === null) return tokens;
  const { clientId, tokenEndpoint, revocationEndpoint } = oauth;
  const revocation = revocationEndpoint === null ? {} : { revocation_endpoint: revocationEndpoint };
  return { ...tokens, oauth: { client_id: clientId, token_endpoint: tokenEndpoint, ...revocation } };
}

const OWN_KEYS: ReadonlySet<string> = new Set([
  'homeserver',
  'access_token',
  'device_id',
  'user_id',
  'bot_user_id',
  'refresh_token',
  'expires_at_ms',
  'oauth',
]);

function extraKeys(path: string): JsonObject {
  try {
    return Object.fromEntries(Object.entries(readObject(path)).filter(([key]) => !OWN_KEYS.has(key)));
  } catch {
    return {}; // no file yet, or one that was not usable: nothing to keep
  }
}

function readObject(path: string): JsonObject {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const message = `${path} cannot be read: ${errorText(error)}`;
    throw new RelayError('MATRIX_CREDENTIALS_UNREADABLE', message, { cause: error });
  }
  let value: JsonValue;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, '')) as JsonValue;
  } catch {
    // The parser's own message would quote the file, token included.
    throw new RelayError('MATRIX_CREDENTIALS_INVALID', `${path} is not valid JSON`);
  }
  if (!isObject(value)) throw new RelayError('MATRIX_CREDENTIALS_INVALID', `${path} does not hold a JSON object`);
  return value;
}
