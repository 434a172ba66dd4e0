import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { endSession, freshSession, storedSession } from '../../../src/app/account/session.ts';
import { type LoginMethod, logIn } from '../../../src/app/log-in/log-in.ts';
import { type AppPaths, resolvePaths } from '../../../src/config/paths.ts';
import { writeCredentials } from '../../../src/matrix/auth/credentials-file.ts';
import type { JsonObject } from '../../../src/util/json.ts';
import { fakeOAuth } from '../../support/fake-oauth.ts';
import { put, scratch } from '../../support/old-homes.ts';
import { type ScriptedServer, scriptedServer } from '../../support/scripted-server.ts';

function home(): AppPaths {
  return resolvePaths({ cli: { home: join(scratch(), 'home') }, env: { HOME: '/nowhere' }, cwd: '/' });
}

/** A homeserver that offers `types`, takes every login of @relay:x, and shows keys of device OTHER. */
async function homeserver(types: readonly string[], userId = '@relay:x'): Promise<ScriptedServer> {
  const server = await scriptedServer(({ path, method, body, token }) => {
    if (path.endsWith('/login') && method === 'GET') return { body: { flows: types.map((type) => ({ type })) } };
    const deviceId = body.device_id ?? 'NEWDEVICE';
    if (path.endsWith('/login')) return { body: { access_token: 'at1', device_id: deviceId, user_id: userId } };
    if (path.endsWith('/whoami') && token === 'dead') return { status: 401, body: { errcode: 'M_UNKNOWN_TOKEN' } };
    if (path.endsWith('/whoami')) return { body: { user_id: userId, device_id: token === 'other' ? 'OTHER' : 'OURS' } };
    if (path.endsWith('/logout')) return { body: {} };
    const keys = { device_keys: { [userId]: { OTHER: { keys: { 'ed25519:OTHER': 'k' } } } } };
    if (path.endsWith('/keys/query')) return { body: keys };
    return { status: 404, body: { errcode: 'M_UNRECOGNIZED' } };
  });
  onTestFinished(() => server.close());
  return server;
}

const SSO = ['m.login.sso', 'm.login.token'];

/** Somebody whose browser runs here, and comes back. */
const browserHere: LoginMethod = {
  kind: 'sso',
  dialogue: {
    show: (address) => {
      void fetch(`${new URL(address).searchParams.get('redirectUrl')}?loginToken=lt`).then((page) => page.text());
    },
    askForAddress: () => Promise.resolve(''),
  },
};

test('single sign-on: the browser brings the token; or its last address is pasted, after a wrong one', async () => {
  const server = await homeserver(SSO);
  const paths = home();
  await logIn({ homeserver: server.url, method: browserHere }, paths);
  expect(storedSession(paths)).toMatchObject({ accessToken: 'at1', deviceId: 'OURS', userId: '@relay:x' });
  expect(server.requests.find(({ body }) => body.type === 'm.login.token')?.body).toMatchObject({ token: 'lt' });

  let shown = '';
  const answers = ['https://example.org/elsewhere?loginToken=no', 'the right one'];
  await logIn(
    {
      homeserver: server.url,
      method: {
        kind: 'sso',
        dialogue: {
          show: (address) => {
            shown = `${new URL(address).searchParams.get('redirectUrl')}?loginToken=pasted`;
          },
          askForAddress: () => Promise.resolve(answers.shift() === 'the right one' ? shown : 'https://wrong.example'),
        },
      },
    },
    paths,
  );
  expect(server.requests.findLast(({ body }) => body.type === 'm.login.token')?.body).toMatchObject({
    token: 'pasted',
  });
});

test('a browser that logs in as somebody else does not take over the device of this home', async () => {
  const server = await homeserver(SSO, '@other:x');
  const paths = home();
  const old = { homeserver: server.url, accessToken: 'old', deviceId: 'OURS', userId: '@relay:x' };
  writeCredentials(paths.credentials.path, old);
  put(join(paths.store.path, 'crypto-OURS.sqlite'), 'keys');
  const login = { homeserver: server.url, method: browserHere };
  await expect(logIn(login, paths)).rejects.toMatchObject({ message: expect.stringContaining('--new-device') });
  expect(storedSession(paths)).toEqual(old);
  expect(server.count('/logout')).toBe(1);
  await logIn({ ...login, newDevice: true }, paths);
  expect(storedSession(paths)?.userId).toBe('@other:x');
});

test.each<[string, readonly string[], LoginMethod, RegExp]>([
  ['a password where only the browser is offered', SSO, { kind: 'password', user: 'relay', password: 'pw' }, /--sso/],
  ['the browser where only a password is offered', ['m.login.password'], browserHere, /--password-stdin/],
  ['OAuth where there is none', SSO, { kind: 'oauth', show: () => undefined }, /by the OAuth device flow.*--sso/],
  [
    'ways we do not know',
    ['org.example.smartcard'],
    { kind: 'password', user: 'relay', password: 'pw' },
    /org\.example\.smartcard.*--access-token-stdin/,
  ],
])('%s: what the homeserver offers, and the remedy', async (_, types, method, words) => {
  const server = await homeserver(types);
  await expect(logIn({ homeserver: server.url, method }, home())).rejects.toMatchObject({
    code: 'MATRIX_LOGIN_UNSUPPORTED',
    message: expect.stringMatching(words),
  });
});

test('an imported token: whose it is, and that the device of another program cannot carry our encryption', async () => {
  const server = await homeserver(SSO);
  const paths = home();
  const importing = (token: string) => logIn({ homeserver: server.url, method: { kind: 'token', token } }, paths);
  expect((await importing('fine')).notes).toEqual([]);
  expect(storedSession(paths)).toEqual({
    homeserver: server.url,
    accessToken: 'fine',
    deviceId: 'OURS',
    userId: '@relay:x',
  });
  expect((await importing('other')).notes).toEqual([
    expect.stringContaining('OTHER has encryption keys of another program'),
  ]);
  await expect(importing('dead')).rejects.toMatchObject({ code: 'MATRIX_LOGIN_REFUSED' });
  expect(storedSession(paths)?.accessToken).toBe('other');
});

test('OAuth: the session is renewed before it is used, and revoked at logout', async () => {
  const granted: JsonObject = { access_token: 'at1', refresh_token: 'rt1', expires_in: 30 };
  const renewed: JsonObject = { access_token: 'at2', refresh_token: 'rt2', expires_in: 300 };
  const server = await fakeOAuth({ answers: [granted, renewed], intervalSeconds: 0.01 });
  onTestFinished(() => server.close());
  const paths = home();
  let code = '';
  const method: LoginMethod = {
    kind: 'oauth',
    show: ({ userCode }) => {
      code = userCode;
    },
  };
  const { credentials } = await logIn({ homeserver: server.url, method }, paths);
  expect(code).toBe('AB-CD');
  expect(credentials).toMatchObject({ userId: '@relay:oauth.test', deviceId: server.scope.split(':').at(-1) });
  expect(await freshSession(paths)).toMatchObject({ accessToken: 'at2', renewal: { refreshToken: 'rt2' } });
  expect(server.tokenForms[1]).toEqual({ grant_type: 'refresh_token', refresh_token: 'rt1', client_id: 'client1' });
  expect(storedSession(paths)).toEqual(await freshSession(paths));
  await endSession(paths, { localOnly: false });
  expect(server.revoked).toEqual(['rt2']);
  expect(storedSession(paths)).toBeNull();
});

test('OAuth: a login after the token has ended goes on with the device, and with none whose session is over', async () => {
  const grant = (n: number): JsonObject => ({ access_token: `at${n}`, refresh_token: `rt${n}`, expires_in: 30 });
  const answers = [grant(1), grant(2), grant(3), { error: 'invalid_grant' }, grant(4)];
  const server = await fakeOAuth({ answers, intervalSeconds: 0.01 });
  onTestFinished(() => server.close());
  const paths = home();
  const method: LoginMethod = { kind: 'oauth', show: () => undefined };
  const login = async () => (await logIn({ homeserver: server.url, method }, paths)).credentials;
  const first = await login();
  put(join(paths.store.path, `crypto-${first.deviceId}.sqlite`), 'keys');
  const second = await login();
  expect(second).toMatchObject({ accessToken: 'at3', deviceId: first.deviceId });
  expect(await login()).toMatchObject({ accessToken: 'at4', deviceId: expect.not.stringMatching(`${first.deviceId}`) });
});

test('a session that can be renewed no more is logged out without the server', async () => {
  const server = await fakeOAuth({ answers: [{ error: 'invalid_grant' }, { error: 'invalid_grant' }] });
  onTestFinished(() => server.close());
  const paths = home();
  const oauth = { clientId: 'c', tokenEndpoint: `${server.url}/token`, revocationEndpoint: `${server.url}/revoke` };
  writeCredentials(paths.credentials.path, {
    homeserver: server.url,
    accessToken: 'at1',
    deviceId: 'D',
    userId: '@relay:oauth.test',
    renewal: { refreshToken: 'rt1', expiresAtMs: 0, oauth },
  });
  await expect(freshSession(paths)).rejects.toMatchObject({ code: 'MATRIX_LOGGED_OUT' });
  await endSession(paths, { localOnly: false });
  expect(storedSession(paths)).toBeNull();
});
