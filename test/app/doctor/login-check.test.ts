import { chmodSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { checkMatrix } from '../../../src/app/doctor/account-check.ts';
import { parseConfig } from '../../../src/config/load.ts';
import { resolvePaths } from '../../../src/config/paths.ts';
import { writeCredentials } from '../../../src/matrix/auth/credentials-file.ts';
import { createHomeserver } from '../../../src/sandbox/homeserver/homeserver.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { scratch } from '../../support/old-homes.ts';

/** What doctor says of the login: a session whose token the homeserver does not know. */
async function look(options: {
  readonly password?: string;
  readonly expiresAtMs?: number;
  readonly readOnly?: boolean;
}) {
  const server = await createHomeserver({ serverName: 'test.local' });
  onTestFinished(() => server.close());
  const { password, expiresAtMs } = options;
  const text = JSON.stringify({
    meshtastic: { connection_type: 'tcp', host: '127.0.0.1' },
    matrix: { homeserver: server.baseUrl, bot_user_id: '@relay:test.local', ...(password && { password }) },
    matrix_rooms: [{ id: '!a:test.local', meshtastic_channel: 0 }],
  });
  const paths = resolvePaths({ cli: { home: join(scratch(), 'home') }, env: { HOME: '/nowhere' }, cwd: '/' });
  const renewal = expiresAtMs === undefined ? undefined : { refreshToken: 'r', expiresAtMs, oauth: null };
  const session = { homeserver: server.baseUrl, accessToken: 'dead', deviceId: 'D', userId: '@relay:test.local' };
  const file = paths.credentials.path;
  writeCredentials(file, { ...session, renewal });
  if (options.readOnly === true) chmodSync(dirname(file), 0o500);
  const { findings } = await checkMatrix(parseConfig({ text, file: null, env: {} }).config, paths, {
    contact: 'ask',
    clock: systemClock,
  });
  chmodSync(dirname(file), 0o700);
  return { findings: findings.slice(1), requests: server.requestCount() };
}

test('a session that was ended: the command, or that the next start mends it', async () => {
  expect((await look({})).findings).toMatchObject([
    {
      status: 'error',
      text: 'the homeserver refuses the token',
      remedy: expect.stringContaining('mmrelay auth login'),
    },
  ]);
  expect((await look({ password: 'pw' })).findings).toMatchObject([
    { status: 'info', text: expect.stringContaining('the next start logs in with the password') },
  ]);
});

test('a token that has ended is left alone: looking changes nothing', async () => {
  const { findings, requests } = await look({ expiresAtMs: 0 });
  expect(findings).toMatchObject([{ status: 'info', text: expect.stringContaining('the next start renews it') }]);
  expect(requests).toBe(0);
});

test.skipIf(process.getuid?.() === 0)('a session that renews itself where nothing can be written', async () => {
  const { findings } = await look({ expiresAtMs: Number.MAX_SAFE_INTEGER, readOnly: true });
  expect(findings).toMatchObject([{ status: 'error', text: expect.stringContaining('a restart would lose it') }]);
});
