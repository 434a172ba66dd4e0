import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { AppPaths } from '../config/paths.ts';
import { type Credentials, readCredentials, writeCredentials } from '../matrix/auth/credentials-file.ts';
import { discoverHomeserver, loginWithPassword } from '../matrix/auth/login.ts';
import { deviceStorePath } from '../matrix/crypto/device-store.ts';
import { createHttp } from '../matrix/http.ts';
import { systemClock } from '../util/clock.ts';
import { RelayError } from '../util/relay-error.ts';
import { DEVICE_NAME } from './credentials.ts';

const TIMEOUT_MS = 30_000;

/**
 * Logs in with a password and stores the session. A device we had for this user is kept when its encryption keys are here;
 * one whose keys are lost, or were the Python relay's, could never encrypt again, so a new one takes its place.
 * @throws RelayError MATRIX_* with the reason in plain words
 */
export async function logInAndSave(
  account: { readonly homeserver: string; readonly user: string; readonly password: string },
  paths: AppPaths,
  options: { readonly newDevice: boolean } = { newDevice: false },
): Promise<Credentials> {
  const http = createHttp(systemClock);
  const baseUrl = await discoverHomeserver(account.homeserver, { http, timeoutMs: TIMEOUT_MS });
  const known = knownSession(paths.credentials.path);
  const local = account.user.replace(/^@/, '').split(':')[0];
  const deviceId = known?.userId?.startsWith(`@${local}:`) === true ? known.deviceId : null;
  const keep = deviceId !== null && !options.newDevice && existsSync(deviceStorePath(paths.store.path, deviceId));
  const credentials = await loginWithPassword(
    { ...account, deviceName: DEVICE_NAME },
    { baseUrl, deviceId: keep ? deviceId : null, http, timeoutMs: TIMEOUT_MS },
  );
  mkdirSync(dirname(paths.credentials.path), { recursive: true, mode: 0o700 });
  writeCredentials(paths.credentials.path, credentials);
  return credentials;
}

function knownSession(path: string): Credentials | null {
  try {
    return readCredentials(path);
  } catch (error) {
    // No session yet, or a broken file that this login replaces.
    if (error instanceof RelayError) return null;
    throw error;
  }
}
