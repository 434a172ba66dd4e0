import { existsSync, rmSync } from 'node:fs';
import type { AppPaths } from '../config/paths.ts';
import { type Credentials, readCredentials } from '../matrix/auth/credentials-file.ts';
import { logout, whoami } from '../matrix/auth/login.ts';
import { toRelayError } from '../matrix/errors.ts';
import { createHttp } from '../matrix/http.ts';
import { lockOwner } from '../observe/process-lock.ts';
import { systemClock } from '../util/clock.ts';
import { RelayError } from '../util/relay-error.ts';

const TIMEOUT_MS = 15_000;

/** The stored session; null when there is none. @throws RelayError MATRIX_CREDENTIALS_* when the file is of no use */
export function storedSession(paths: AppPaths): Credentials | null {
  return existsSync(paths.credentials.path) ? readCredentials(paths.credentials.path) : null;
}

export interface TokenCheck {
  readonly userId: string;
  readonly deviceId: string | null;
}

/** Asks the homeserver whose token it is. @throws RelayError MATRIX_LOGGED_OUT, MATRIX_* for an unreachable server */
export async function checkToken(credentials: Credentials, timeoutMs = TIMEOUT_MS): Promise<TokenCheck> {
  try {
    return await whoami(credentials, { http: createHttp(systemClock), timeoutMs });
  } catch (error) {
    throw toRelayError(error, 'check the token');
  }
}

/**
 * Ends the session on the homeserver, by its token, and removes the credentials file. The encryption keys stay: without
 * the device they open nothing new, and the next login on another device puts them aside.
 * @throws RelayError STORE_IN_USE beside a running daemon; MATRIX_* when the server cannot be told and `localOnly` is false
 */
export async function endSession(paths: AppPaths, options: { readonly localOnly: boolean }): Promise<void> {
  const owner = lockOwner({ path: paths.lockFile.path, clock: systemClock });
  if (owner !== null) {
    throw new RelayError('STORE_IN_USE', `The relay is running (pid ${owner.pid}): stop it before you log out`);
  }
  const session = options.localOnly ? null : storedSession(paths);
  if (session !== null) await logout(session, { http: createHttp(systemClock), timeoutMs: TIMEOUT_MS });
  rmSync(paths.credentials.path, { force: true });
}
