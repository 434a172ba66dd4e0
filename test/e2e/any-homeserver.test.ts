import { describe } from 'vitest';
import { adapterSuite, type SuiteServer } from '../matrix/support/adapter-suite.ts';
import { encryptionSuite } from '../matrix/support/encryption-suite.ts';
import { trustSuite } from '../matrix/support/trust-suite.ts';

/** Of a fresh homeserver that lets everybody register, or everybody with the token (docs/DEVELOPING.md). */
const baseUrl = process.env.MMRELAY_E2E_HOMESERVER ?? '';
const token = process.env.MMRELAY_E2E_REGISTRATION_TOKEN ?? '';

const name = `The homeserver of MMRELAY_E2E_HOMESERVER${baseUrl === '' ? ' (not set)' : ''}`;

describe.skipIf(baseUrl === '')(name, { timeout: 120_000 }, () => {
  let serverName = '';
  const server = (): SuiteServer => ({
    baseUrl,
    serverName,
    registerUser: async (user, password) => {
      const session = await register(user, password);
      serverName = session.userId.slice(session.userId.indexOf(':') + 1);
      return session;
    },
  });
  describe('adapter', () => adapterSuite(server));
  describe('encrypted rooms', () => encryptionSuite(server));
  // Its people make their identities without a password, which not every homeserver allows (MSC3967).
  describe('trust', () => trustSuite(server));
});

async function register(username: string, password: string): ReturnType<SuiteServer['registerUser']> {
  const post = async (auth: object) => {
    const body = JSON.stringify({ username, password, ...auth });
    const response = await fetch(`${baseUrl}/_matrix/client/v3/register`, { method: 'POST', body });
    return { status: response.status, body: (await response.json()) as Record<string, string> };
  };
  const first = await post({});
  const stage = token === '' ? { type: 'm.login.dummy' } : { type: 'm.login.registration_token', token };
  const { body } = first.status === 401 ? await post({ auth: { ...stage, session: first.body.session } }) : first;
  const { user_id: userId, access_token: accessToken, device_id: deviceId } = body;
  if (userId === undefined || accessToken === undefined || deviceId === undefined) {
    throw new Error(`${username} could not be registered: ${body.errcode} ${body.error}`);
  }
  return { userId, accessToken, deviceId };
}
