/** credentials.json: read tolerantly, written atomically and for the owner only (spec 01 section 5.1). */

import {
  chmodSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { syncFolder } from '../../util/durable-file.ts';
import type { JsonObject, JsonValue } from '../../util/json.ts';
import { errorText, RelayError } from '../../util/relay-error.ts';
import { asString, isObject } from '../json-read.ts';

export interface Credentials {
  readonly homeserver: string;
  readonly accessToken: string;
  /** null or absent in files of token-only logins: asked from the server at start. */
  readonly deviceId: string | null;
  readonly userId: string | null;
}

/** @throws RelayError MATRIX_CREDENTIALS_UNREADABLE (missing, no access), MATRIX_CREDENTIALS_INVALID (content) */
export function readCredentials(path: string): Credentials {
  const file = readObject(path);
  const text = (key: string): string | null => asString(file[key])?.trim() || null;
  const homeserver = text('homeserver');
  const accessToken = text('access_token');
  const missing = [homeserver === null ? 'homeserver' : '', accessToken === null ? 'access_token' : ''].filter(Boolean);
  if (homeserver === null || accessToken === null) {
    throw new RelayError('MATRIX_CREDENTIALS_INVALID', `${path} lacks ${missing.join(' and ')}`);
  }
  return { homeserver, accessToken, deviceId: text('device_id'), userId: text('user_id') ?? text('bot_user_id') };
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
  };
  const content = { ...known, ...extraKeys(path) };
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeDurably(temporary, JSON.stringify(content, null, 2));
    renameSync(temporary, path);
    syncFolder(dirname(path));
  } catch (error) {
    discard(temporary);
    const message = `${path} cannot be written: ${errorText(error)}`;
    throw new RelayError('MATRIX_CREDENTIALS_UNWRITABLE', message, { cause: error });
  }
}

const OWN_KEYS: ReadonlySet<string> = new Set(['homeserver', 'access_token', 'device_id', 'user_id', 'bot_user_id']);

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

function writeDurably(path: string, text: string): void {
  rmSync(path, { force: true });
  const file = openSync(path, 'wx', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  chmodSync(path, 0o600);
}

function discard(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // The folder itself is the trouble, which the caller is about to tell.
  }
}
