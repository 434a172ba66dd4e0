import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createHomeserver, type Homeserver } from '../../src/sandbox/homeserver/homeserver.ts';
import { fakeOAuth } from '../support/fake-oauth.ts';
import { cliBox } from './run-cli.ts';

async function homeserver(): Promise<Homeserver> {
  const server = await createHomeserver({ serverName: 'test.local' });
  onTestFinished(() => server.close());
  server.registerUser('relay', 'pw');
  return server;
}

test('login by a password file; again with the password alone, as the home knows the account', async () => {
  const server = await homeserver();
  const { run, root, home } = cliBox();
  const password = join(root, 'password');
  writeFileSync(password, 'pw\n');
  const flags = ['--homeserver', server.baseUrl, '--username', 'relay', '--password-file', password];
  const first = await run('auth', 'login', ...flags);
  expect(first).toMatchObject({ code: 0, err: '' });
  expect(first.out).toMatch(
    /^✅ Logged in as @relay:test\.local, device \w+\n✅ credentials\.json saved: <root>\/\.mmrelay\/credentials\.json\n$/,
  );
  const again = await run('auth', 'login', '--password-file', password);
  expect(again).toMatchObject({ code: 0, out: expect.stringContaining('@relay:test.local') });
  expect((await run('auth', 'status', '--check')).out).toContain('✅ the homeserver accepts it');
  const logout = await run('auth', 'logout', '--yes');
  expect(logout.out).toMatch(/Removed: .*credentials\.json\n {3}Kept: encryption keys in .*crypto\.key/);
  expect(logout.out).toContain('Kept: the identity of the account');
  expect((await run('auth', 'login', '--password-file', password)).err).toContain('Missing: --homeserver, --username');
  expect(() => readFileSync(join(home, 'credentials.json'))).toThrow();
});

test('login by an access token in a file; one that is refused changes nothing', async () => {
  const server = await homeserver();
  const { accessToken, deviceId } = server.registerUser('bot', 'pw');
  const { run, root } = cliBox();
  const token = join(root, 'token');
  writeFileSync(token, `${accessToken}\n`);
  const flags = ['--homeserver', server.baseUrl, '--access-token-file', token];
  expect(await run('auth', 'login', ...flags)).toMatchObject({
    code: 0,
    out: expect.stringContaining(`Logged in as @bot:test.local, device ${deviceId}`),
  });
  writeFileSync(token, 'wrong');
  const refused = await run('auth', 'login', ...flags);
  expect(refused).toMatchObject({ code: 4, err: expect.stringContaining('M_UNKNOWN_TOKEN') });
  expect((await run('auth', 'status', '--check')).code).toBe(0);
});

test('login by OAuth shows where to go and the code; the session renews itself', async () => {
  const answers = [{ error: 'authorization_pending' }, { access_token: 'at1', refresh_token: 'rt1', expires_in: 300 }];
  const server = await fakeOAuth({ answers, intervalSeconds: 0.01 });
  onTestFinished(() => server.close());
  const { run } = cliBox();
  const login = await run('auth', 'login', '--homeserver', server.url, '--oauth');
  expect(login.code).toBe(0);
  expect(login.out).toContain('   https://id.test/link?c=ABCD\n');
  expect(login.out).toContain('Code: AB-CD\nWaiting for you to confirm (1 minute) ...');
  const status = await run('auth', 'status', '--json');
  expect(JSON.parse(status.out)).toMatchObject({ loggedIn: true, renewsItself: true, userId: '@relay:oauth.test' });
  expect(status.out).not.toMatch(/at1|rt1/);
});

test('a full user id says where the homeserver is', async () => {
  const { run, root } = cliBox();
  writeFileSync(join(root, 'password'), 'pw');
  const login = await run(
    'auth',
    'login',
    '--username',
    '@relay:nowhere.invalid',
    '--password-file',
    join(root, 'password'),
  );
  expect(login).toMatchObject({ code: 1, err: expect.stringContaining('https://nowhere.invalid') });
});

test('a way that the homeserver does not offer: exit 4, with the one it does', async () => {
  const server = await homeserver();
  const { run } = cliBox();
  expect(await run('auth', 'login', '--homeserver', server.baseUrl, '--oauth')).toMatchObject({
    code: 4,
    err: expect.stringMatching(/lets nobody log in by the OAuth device flow.*--password-stdin/),
  });
});
