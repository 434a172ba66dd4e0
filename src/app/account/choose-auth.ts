import { existsSync } from 'node:fs';
import type { AppPaths } from '../../config/paths.ts';
import type { MatrixConfig } from '../../config/types.ts';
import { type Credentials, readCredentials } from '../../matrix/auth/credentials-file.ts';
import type { LoginSettings } from '../../matrix/auth/login.ts';
import { RelayError } from '../../util/relay-error.ts';

export interface AuthChoice {
  readonly credentials: Credentials | null;
  readonly login: LoginSettings | null;
  /** The session that is stored by now; null when there is none of use. */
  readonly readCredentials: () => Credentials | null;
}

export const DEVICE_NAME = 'mmrelay';

export type ConfiguredLogin =
  | { readonly kind: 'password'; readonly login: LoginSettings }
  | { readonly kind: 'token'; readonly credentials: Credentials };

/** The way in that the configuration gives by itself: a complete password login, then a bare token; null: none. */
export function configuredLogin({
  homeserver,
  botUserId,
  password,
  accessToken,
}: MatrixConfig): ConfiguredLogin | null {
  if (homeserver === null) return null;
  if (botUserId !== null && password !== null && password.trim() !== '')
    return { kind: 'password', login: { homeserver, user: botUserId, password, deviceName: DEVICE_NAME } };
  if (accessToken === null) return null;
  return { kind: 'token', credentials: { homeserver, accessToken, deviceId: null, userId: botUserId } };
}

/**
 * How to get in: the stored credentials first, then what the configuration gives.
 * @throws RelayError MATRIX_NO_CREDENTIALS, or what is wrong with the credentials file
 */
export function chooseAuth(matrix: MatrixConfig, paths: AppPaths): AuthChoice {
  const file = paths.credentials.path;
  const configured = configuredLogin(matrix);
  const login = configured?.kind === 'password' ? configured.login : null;
  const readAgain = (): Credentials | null => usable(file);
  if (existsSync(file)) return { credentials: readCredentials(file), login, readCredentials: readAgain };
  if (configured !== null) {
    const credentials = configured.kind === 'token' ? configured.credentials : null;
    return { credentials, login, readCredentials: readAgain };
  }
  throw new RelayError(
    'MATRIX_NO_CREDENTIALS',
    `No Matrix credentials in ${file}: run "mmrelay auth login", or set homeserver, bot_user_id and password`,
  );
}

function usable(file: string): Credentials | null {
  try {
    return readCredentials(file);
  } catch {
    return null; // not there, or being put there by hand
  }
}
