import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { checkToken, endSession, storedSession } from '../../../src/app/account/session.ts';
import { logIn } from '../../../src/app/log-in/log-in.ts';
import { resolvePaths } from '../../../src/config/paths.ts';
import { createHomeserver } from '../../../src/sandbox/homeserver/homeserver.ts';
import { put, scratch } from '../../support/old-homes.ts';

test('a device is kept while its keys are here, and replaced when they are not; logout ends the session on the server', async () => {
  const server = await createHomeserver({ serverName: 'test.local' });
  onTestFinished(() => server.close());
  server.registerUser('relay', 'pw');
  const home = join(scratch(), 'home');
  const paths = resolvePaths({ cli: { home }, env: { HOME: '/nowhere' }, cwd: '/' });
  const account = { homeserver: server.baseUrl, method: { kind: 'password', user: 'relay', password: 'pw' } } as const;
  const login = async (options = {}) => (await logIn({ ...account, ...options }, paths)).credentials;
  const first = await login();
  expect([statSync(home).mode & 0o777, statSync(paths.credentials.path).mode & 0o777]).toEqual([0o700, 0o600]);

  const second = await login();
  expect(second.deviceId).not.toBe(first.deviceId);
  put(join(home, 'store', `crypto-${second.deviceId}.sqlite`), 'keys');
  const third = await login();
  expect(third.deviceId).toBe(second.deviceId);
  expect((await login({ newDevice: true })).deviceId).not.toBe(second.deviceId);

  put(join(home, 'store', `crypto-${storedSession(paths)?.deviceId}.sqlite`), 'keys');
  const kept = await login();
  server.expireTokens('@relay:test.local');
  server.tuning.softLogout = true;
  expect((await login()).deviceId, 'its token has ended').toBe(kept.deviceId);
  server.expireTokens('@relay:test.local');
  server.tuning.softLogout = false;
  expect((await login()).deviceId, 'it was removed at the homeserver').not.toBe(kept.deviceId);

  const session = storedSession(paths);
  if (session === null) throw new Error('no session');
  expect((await checkToken(session)).userId).toBe('@relay:test.local');
  await endSession(paths, { localOnly: false });
  expect(storedSession(paths)).toBeNull();
  await expect(checkToken(session)).rejects.toMatchObject({ code: 'MATRIX_LOGGED_OUT' });
  expect(readFileSync(join(home, 'store', `crypto-${second.deviceId}.sqlite`), 'utf8'), 'keys are kept (S7)').toBe(
    'keys',
  );
});

test('where the session could not be stored, no device is made', async () => {
  const server = await createHomeserver({ serverName: 'test.local' });
  onTestFinished(() => server.close());
  server.registerUser('relay', 'pw');
  const file = join(scratch(), 'a file, where a folder should be');
  put(file, '');
  const paths = resolvePaths({ cli: { home: join(file, 'home') }, env: { HOME: '/nowhere' }, cwd: '/' });
  const method = { kind: 'password', user: 'relay', password: 'pw' } as const;

  await expect(logIn({ homeserver: server.baseUrl, method }, paths)).rejects.toMatchObject({
    code: 'MATRIX_CREDENTIALS_UNWRITABLE',
  });

  expect(server.requestCount(/login/)).toBe(0);
});
