import { existsSync } from 'node:fs';
import type { AppPaths } from '../../config/paths.ts';
import { createApi, fixedToken } from '../../matrix/api.ts';
import type { AuthContext } from '../../matrix/auth/auth-context.ts';
import { whoami } from '../../matrix/auth/login.ts';
import { deviceStorePath, publishedDeviceKey } from '../../matrix/crypto/device-store.ts';
import { toRelayError } from '../../matrix/errors.ts';
import { RelayError } from '../../util/relay-error.ts';
import type { LoginResult } from './login-result.ts';

/**
 * Takes a token that was made elsewhere: asks whose it is, and whether its device can carry our encryption.
 * @throws RelayError MATRIX_LOGIN_REFUSED for a token that is not good, MATRIX_* for the network
 */
export async function importToken(
  accessToken: string,
  context: AuthContext & { readonly baseUrl: string },
  paths: AppPaths,
): Promise<LoginResult> {
  const { baseUrl: homeserver, http, timeoutMs } = context;
  try {
    const { userId, deviceId } = await whoami({ homeserver, accessToken }, context);
    const credentials = { homeserver, accessToken, userId, deviceId };
    if (deviceId === null) return { credentials, notes: [NO_DEVICE] };
    const api = createApi({ tokens: fixedToken(credentials), http, timeoutMs });
    const ours = existsSync(deviceStorePath(paths.store.path, deviceId));
    const taken = !ours && (await publishedDeviceKey(api, userId, deviceId)) !== null;
    return { credentials, notes: taken ? [foreignDevice(deviceId)] : [] };
  } catch (error) {
    const failure = toRelayError(error, 'use the access token');
    if (failure.code !== 'MATRIX_LOGGED_OUT') throw failure;
    throw new RelayError('MATRIX_LOGIN_REFUSED', failure.message, { cause: error });
  }
}

const OWN_LOGIN = 'For encrypted rooms give the relay a login of its own: a password, --sso or --oauth.';
const NO_DEVICE = `The token belongs to no device, so it cannot carry encryption. ${OWN_LOGIN}`;

function foreignDevice(deviceId: string): string {
  return `Device ${deviceId} has encryption keys of another program, which cannot be used here. ${OWN_LOGIN}`;
}
