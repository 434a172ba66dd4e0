import { existsSync } from 'node:fs';
import type { AppPaths } from '../../config/paths.ts';
import { type Credentials, readCredentials } from '../../matrix/auth/credentials-file.ts';
import { normalizeUserId } from '../../matrix/auth/user-id.ts';
import { deviceStorePath } from '../../matrix/crypto/device-store.ts';
import { RelayError } from '../../util/relay-error.ts';

/** The session in the home; null when there is none, or a broken file that a login replaces. */
export function knownSession(paths: AppPaths): Credentials | null {
  try {
    return readCredentials(paths.credentials.path);
  } catch (error) {
    if (error instanceof RelayError) return null;
    throw error;
  }
}

/**
 * The device to go on with: that of the session in the home, when its keys are here and the user may be the same.
 * @param login.user null: the browser will tell
 */
export function keptDevice(
  paths: AppPaths,
  login: { readonly baseUrl: string; readonly user: { readonly name: string; readonly homeserver: string } | null },
): string | null {
  const known = knownSession(paths);
  if (known === null || known.deviceId === null || known.userId === null) return null;
  if (!existsSync(deviceStorePath(paths.store.path, known.deviceId))) return null;
  const sameServer = known.homeserver === login.baseUrl;
  if (login.user === null) return sameServer ? known.deviceId : null;
  const { name, homeserver } = login.user;
  const userId = normalizeUserId(name, homeserver);
  // The server part of a user id is often that of a URL, by mistake or for want of a better one.
  const sameLocalPart = userId?.split(':')[0] === known.userId.split(':')[0];
  return userId === known.userId || (sameServer && sameLocalPart) ? known.deviceId : null;
}
