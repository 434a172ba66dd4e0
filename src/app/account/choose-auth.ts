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

/**
 * How to get in: the stored credentials first, a password to fall back on, then a bare token.
 * @throws RelayError MATRIX_NO_CREDENTIALS, or what is wrong with the credentials file
 */
export function chooseAuth(matrix: MatrixConfig, paths: AppPaths): AuthChoice {
  const { homeserver, botUserId, password, accessToken } = matrix;
  const login =
    homeserver !== null && botUserId !== null && password !== null && password !== ''
      ? { homeserver, user: botUserId, password, deviceName: DEVICE_NAME }
      : null;
  const file = paths.credentials.path;
  const readAgain = (): Credentials | null => usable(file);
  if (existsSync(file)) return { credentials: readCredentials(file), login, readCredentials: readAgain };
  if (login !== null) return { credentials: null, login, readCredentials: readAgain };
  if (homeserver !== null && accessToken !== null) {
    const credentials = { homeserver, accessToken, deviceId: null, userId: botUserId };
    return { credentials, login: null, readCredentials: readAgain };
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
