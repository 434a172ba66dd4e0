import { existsSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { AppPaths } from '../../config/paths.ts';
import { type Credentials, readCredentials, writeCredentials } from '../../matrix/auth/credentials-file.ts';
import { logout, whoami } from '../../matrix/auth/login.ts';
import { isEnding, renewSession } from '../../matrix/auth/renew.ts';
import { toRelayError } from '../../matrix/errors.ts';
import { createHttp, type HttpSend } from '../../matrix/http.ts';
import { lockOwner } from '../../observe/process-lock.ts';
import { systemClock } from '../../util/clock.ts';
import { RelayError } from '../../util/relay-error.ts';
import { CRYPTO_KEY_FILE, RECOVERY_KEY_FILE } from './encryption.ts';

const TIMEOUT_MS = 15_000;

/** The stored session; null when there is none. @throws RelayError MATRIX_CREDENTIALS_* when the file is of no use */
export function storedSession(paths: AppPaths): Credentials | null {
  return existsSync(paths.credentials.path) ? readCredentials(paths.credentials.path) : null;
}

/**
 * The stored session with an access token that is good for now: one that renews itself is renewed, unless a relay runs,
 * which does that and must be the only one.
 * @throws RelayError as `storedSession`; MATRIX_LOGGED_OUT when it cannot be renewed, MATRIX_* for an unreachable server
 */
export async function freshSession(paths: AppPaths): Promise<Credentials | null> {
  const session = storedSession(paths);
  if (session?.renewal === undefined || !isEnding(session, systemClock.now())) return session;
  if (relayPid(paths) !== null) return session;
  const context = { http: createHttp(systemClock), timeoutMs: TIMEOUT_MS, clock: systemClock };
  const next = await renewSession(session, session.renewal, context);
  writeCredentials(paths.credentials.path, next);
  return next;
}

/** The process of the relay on this home; null when none runs. */
export function relayPid(paths: AppPaths): number | null {
  return lockOwner({ path: paths.lockFile.path, clock: systemClock })?.pid ?? null;
}

/** The files beside the credentials that outlive a session. */
export function keyFiles(paths: AppPaths): { readonly keys: string; readonly recoveryKey: string | null } {
  const folder = dirname(paths.credentials.path);
  const recoveryKey = join(folder, RECOVERY_KEY_FILE);
  return { keys: join(folder, CRYPTO_KEY_FILE), recoveryKey: existsSync(recoveryKey) ? recoveryKey : null };
}

export interface TokenCheck {
  readonly userId: string;
  readonly deviceId: string | null;
}

/** Asks the homeserver whose token it is. @throws RelayError MATRIX_LOGGED_OUT, MATRIX_* for an unreachable server */
export async function checkToken(
  credentials: Credentials,
  {
    http = createHttp(systemClock),
    timeoutMs = TIMEOUT_MS,
  }: { readonly http?: HttpSend; readonly timeoutMs?: number } = {},
): Promise<TokenCheck> {
  try {
    return await whoami(credentials, { http, timeoutMs, clock: systemClock });
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
  const pid = relayPid(paths);
  if (pid !== null) {
    throw new RelayError('STORE_IN_USE', `The relay is running (pid ${pid}): stop it before you log out`);
  }
  if (!options.localOnly) await endOnServer(paths);
  rmSync(paths.credentials.path, { force: true });
}

async function endOnServer(paths: AppPaths): Promise<void> {
  try {
    const session = await freshSession(paths);
    const context = { http: createHttp(systemClock), timeoutMs: TIMEOUT_MS, clock: systemClock };
    if (session !== null) await logout(session, context);
  } catch (error) {
    // A session that cannot be renewed any more is over already.
    if (!(error instanceof RelayError) || error.code !== 'MATRIX_LOGGED_OUT') throw error;
  }
}
