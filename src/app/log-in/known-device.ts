import { existsSync } from 'node:fs';
import type { AppPaths } from '../../config/paths.ts';
import type { AuthContext } from '../../matrix/auth/auth-context.ts';
import { type Credentials, readCredentials } from '../../matrix/auth/credentials-file.ts';
import { whoami } from '../../matrix/auth/login.ts';
import { normalizeUserId } from '../../matrix/auth/user-id.ts';
import { deviceStorePath } from '../../matrix/crypto/device-store.ts';
import { isLoggedOut, keepsDevice } from '../../matrix/errors.ts';
import { HttpFailure } from '../../matrix/http.ts';
import { RelayError } from '../../util/relay-error.ts';
import { freshSession } from '../account/session.ts';

/** The session in the home; null when there is none, or a broken file that a login replaces. */
export function knownSession(paths: AppPaths): Credentials | null {
  try {
    return readCredentials(paths.credentials.path);
  } catch (error) {
    if (error instanceof RelayError) return null;
    throw error;
  }
}

export interface ComingLogin {
  readonly baseUrl: string;
  /** null: the browser will tell. */
  readonly user: { readonly name: string; readonly homeserver: string } | null;
}

/**
 * The device to go on with: that of the session in the home, when its keys are here, the homeserver still has it, and
 * the user may be the same. One that was removed there and made again by the same name would have keys that nobody knows.
 */
export async function keptDevice(paths: AppPaths, login: ComingLogin, context: AuthContext): Promise<string | null> {
  const known = knownSession(paths);
  if (known === null || known.deviceId === null) return null;
  if (!existsSync(deviceStorePath(paths.store.path, known.deviceId)) || !mayBeUser(known, login)) return null;
  return (await isRemoved(known, paths, context)) ? null : known.deviceId;
}

function mayBeUser(known: Credentials, { baseUrl, user }: ComingLogin): boolean {
  const sameServer = known.homeserver === baseUrl;
  if (known.userId === null || user === null) return sameServer && known.userId !== null;
  const userId = normalizeUserId(user.name, user.homeserver);
  // The server part of a user id is often that of a URL, by mistake or for want of a better one.
  const sameLocalPart = userId?.split(':')[0] === known.userId.split(':')[0];
  return userId === known.userId || (sameServer && sameLocalPart);
}

async function isRemoved(known: Credentials, paths: AppPaths, context: AuthContext): Promise<boolean> {
  try {
    // Where tokens are an OAuth server's, one that has ended is called unknown as if the device were gone.
    const session = known.renewal?.oauth ? await freshSession(paths) : known;
    await whoami(session ?? known, context);
    return false;
  } catch (error) {
    if (error instanceof RelayError) return error.code === 'MATRIX_LOGGED_OUT';
    if (!(error instanceof HttpFailure)) throw error;
    return isLoggedOut(error) && !keepsDevice(error);
  }
}
