import { accessSync, constants } from 'node:fs';
import { dirname } from 'node:path';
import type { AppPaths } from '../../config/paths.ts';
import type { RelayConfig } from '../../config/types.ts';
import type { Credentials } from '../../matrix/auth/credentials-file.ts';
import { discoverHomeserver } from '../../matrix/auth/discovery.ts';
import { type LoginSettings, loginWithPassword, logout } from '../../matrix/auth/login.ts';
import { isEnding } from '../../matrix/auth/renew.ts';
import { toRelayError } from '../../matrix/errors.ts';
import { createHttp, type HttpSend } from '../../matrix/http.ts';
import type { Clock } from '../../util/clock.ts';
import { errorText, RelayError } from '../../util/relay-error.ts';
import { chooseAuth } from '../account/choose-auth.ts';
import { checkToken } from '../account/session.ts';
import { type Finding, findingsOf } from './finding.ts';
import { checkRooms } from './room-checks.ts';

const TIMEOUT_MS = 5_000;

export interface MatrixCheck {
  readonly findings: readonly Finding[];
  /** What time it is at the homeserver; null when it was not asked or did not say. */
  readonly serverMs: number | null;
}

export interface MatrixCheckOptions {
  /** nothing: look at the files. ask: the homeserver as well. log-in: where there is no session, log in for a moment. */
  readonly contact: 'nothing' | 'ask' | 'log-in';
  readonly clock: Clock;
}

/** Credentials, whether the homeserver takes them, and the rooms. */
export async function checkMatrix(
  config: RelayConfig | null,
  paths: AppPaths,
  { contact, clock }: MatrixCheckOptions,
): Promise<MatrixCheck> {
  const seen: { serverMs: number | null } = { serverMs: null };
  const http = createHttp(clock, (nowMs) => {
    seen.serverMs = nowMs;
  });
  const mayLogIn = contact === 'log-in';
  const findings = await checkAccount(config, paths, { http: contact === 'nothing' ? null : http, clock, mayLogIn });
  return { findings, serverMs: seen.serverMs };
}

/** Looking changes nothing, and a renewal would. */
const RENEWED_LATER =
  'the access token has ended, the next start renews it (`mmrelay auth status --check` does it now)';

async function checkAccount(
  config: RelayConfig | null,
  paths: AppPaths,
  { http, clock, mayLogIn }: { readonly http: HttpSend | null; readonly clock: Clock; readonly mayLogIn: boolean },
): Promise<Finding[]> {
  const finding = findingsOf('matrix');
  if (config === null) return [finding('info', 'not checked: the configuration is not valid')];
  try {
    const { credentials, login } = chooseAuth(config.matrix, paths);
    if (credentials === null) {
      if (mayLogIn && http !== null && login !== null) return await tryLogin(login, config, { http, clock });
      return [finding('ok', `no session yet; the next start logs in as ${login?.user ?? ''} with the password`)];
    }
    const who = credentials.userId ?? 'an account whose name the server will tell';
    const stored = finding('ok', `session of ${who} on ${credentials.homeserver}`);
    if (credentials.renewal !== undefined && !canReplace(paths.credentials.path)) {
      const words = `${paths.credentials.path} cannot be replaced, but the session renews itself: a restart would lose it`;
      return [stored, finding('error', words, 'put it on a volume that the relay can write')];
    }
    if (http === null) return [stored];
    if (isEnding(credentials, clock.now())) return [stored, finding('info', RENEWED_LATER)];
    return [stored, ...(await askHomeserver(credentials, config, { http, canLogIn: login !== null }))];
  } catch (error) {
    return [finding('error', errorText(error), 'run `mmrelay auth login`')];
  }
}

/** A login that is ended at once: the next start makes its own, with a device that stays. */
async function tryLogin(
  login: LoginSettings,
  config: RelayConfig,
  { http, clock }: { readonly http: HttpSend; readonly clock: Clock },
): Promise<Finding[]> {
  const finding = findingsOf('matrix');
  const context = { http, clock, timeoutMs: TIMEOUT_MS };
  try {
    const baseUrl = await discoverHomeserver(login.homeserver, context);
    const session = await loginWithPassword(login, { ...context, baseUrl, deviceId: null });
    try {
      const taken = finding('ok', `the homeserver takes the password of ${session.userId ?? login.user}`);
      const userId = session.userId ?? login.user;
      return [taken, ...(await checkRooms(session, config, { http, timeoutMs: TIMEOUT_MS, userId }))];
    } finally {
      await logout(session, context);
    }
  } catch (error) {
    const failure = toRelayError(error, 'log in');
    if (failure.retry.kind === 'never') return [finding('error', failure.message, 'run `mmrelay auth login`')];
    return [finding('warning', failure.message, 'messages wait in the outbox until it answers')];
  }
}

function canReplace(file: string): boolean {
  try {
    accessSync(dirname(file), constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false; // accessSync says no by throwing
  }
}

async function askHomeserver(
  credentials: Credentials,
  config: RelayConfig,
  { http, canLogIn }: { readonly http: HttpSend; readonly canLogIn: boolean },
): Promise<Finding[]> {
  const finding = findingsOf('matrix');
  try {
    const who = await checkToken(credentials, { http, timeoutMs: TIMEOUT_MS });
    const token = finding('ok', `the homeserver accepts the token (device ${who.deviceId ?? 'without an id'})`);
    return [token, ...(await checkRooms(credentials, config, { http, timeoutMs: TIMEOUT_MS, userId: who.userId }))];
  } catch (error) {
    const refused = error instanceof RelayError && error.code === 'MATRIX_LOGGED_OUT';
    const words = 'the homeserver refuses the token';
    if (refused && canLogIn) return [finding('info', `${words}; the next start logs in with the password`)];
    if (refused) return [finding('error', words, 'run `mmrelay auth login`')];
    return [finding('warning', errorText(error), 'messages wait in the outbox until it answers')];
  }
}
