import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { adminVerification } from '../../../src/app/account/admin-verification.ts';
import { resetCrossSigning } from '../../../src/app/account/reset-cross-signing.ts';
import { verifyAccount } from '../../../src/app/account/verify-account.ts';
import { type AppPaths, resolvePaths } from '../../../src/config/paths.ts';
import { writeCredentials } from '../../../src/matrix/auth/credentials-file.ts';
import { acquireLock } from '../../../src/observe/process-lock.ts';
import { createHomeserver, type Homeserver } from '../../../src/sandbox/homeserver/homeserver.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { silentLogger } from '../../../src/util/logger.ts';
import { type CryptoUser, cryptoUser } from '../../support/crypto-user.ts';
import { confirmAsPerson } from '../../support/sas.ts';
import { type TestUser, testUser } from '../../support/test-user.ts';

let homeserver: Homeserver;
let bot: TestUser;
let alice: CryptoUser;
let paths: AppPaths;

beforeEach(async () => {
  homeserver = await createHomeserver();
  bot = testUser(homeserver.baseUrl, homeserver.registerUser('bot', 'secret-b'));
  alice = await cryptoUser(homeserver.baseUrl, homeserver.registerUser('alice', 'secret-a'));
  const home = mkdtempSync(join(tmpdir(), 'mmrelay-errand-'));
  paths = resolvePaths({ cli: { home }, env: {}, cwd: home, config: null });
  const { accessToken, deviceId, userId } = bot;
  writeCredentials(paths.credentials.path, { homeserver: homeserver.baseUrl, accessToken, deviceId, userId });
});

afterEach(async () => {
  alice.stop();
  await homeserver.close();
  rmSync(paths.home.path, { recursive: true, force: true });
});

const master = async (): Promise<unknown> => {
  const answer = await bot.call('POST', '/keys/query', { device_keys: { [bot.userId]: [] } });
  return (answer.master_keys as Record<string, { keys: object }> | undefined)?.[bot.userId]?.keys;
};

it('a reset makes a new identity each time, with a recovery key in a file; a wrong password changes nothing', async () => {
  const { recoveryKeyFile } = await resetCrossSigning(paths, 'secret-b');
  const [first, firstKey] = [await master(), readFileSync(recoveryKeyFile, 'utf8')];
  expect(firstKey).toMatch(/^E\w{3}( \w{4})+/);
  await resetCrossSigning(paths, 'secret-b');
  const second = await master();
  expect(second).not.toEqual(first);
  expect(readFileSync(recoveryKeyFile, 'utf8')).not.toBe(firstKey);
  await expect(resetCrossSigning(paths, 'wrong')).rejects.toMatchObject({ code: 'MATRIX_IDENTITY' });
  expect(await master()).toEqual(second);
  expect(existsSync(paths.lockFile.path)).toBe(false);
});

it('lets a person compare emoji with another person at their client, and gives the home free', async () => {
  const roomId = await alice.createRoom({ encrypted: true });
  await bot.call('POST', `/join/${encodeURIComponent(roomId)}`, {});
  const ready = Promise.withResolvers<void>();
  const asked: string[][] = [];
  const verified = verifyAccount(paths, {
    only: alice.userId,
    onReady: () => ready.resolve(),
    compare: (signs, { who }) => {
      asked.push([who, ...signs]);
      return Promise.resolve(true);
    },
  });
  await ready.promise;
  await alice.sees(bot);
  const request = await alice.client.getCrypto()?.requestDeviceVerification(bot.userId, bot.deviceId);
  if (request === undefined) throw new Error('no crypto');
  const seen = await confirmAsPerson(request);
  expect(await verified).toBe(true);
  expect(asked).toEqual([[alice.userId, ...seen]]);
  expect(existsSync(paths.lockFile.path)).toBe(false);
});

it('does not wait for anybody once the homeserver has ended the session', async () => {
  const ready = Promise.withResolvers<void>();
  const compare = () => Promise.resolve(true);
  const verified = verifyAccount(paths, { only: null, onReady: () => ready.resolve(), compare });
  const refused = expect(verified).rejects.toThrow('stay logged in');
  await ready.promise;
  await bot.call('POST', '/logout', {});
  await refused;
  expect(existsSync(paths.lockFile.path)).toBe(false);
});

it('beside a running relay it refuses, and says that administrators need no command', async () => {
  const held = acquireLock({ path: paths.lockFile.path, clock: systemClock });
  if (!held.ok) throw new Error('the home is held');
  const dialogue = { only: null, onReady: () => undefined, compare: () => Promise.resolve(true) };
  await expect(verifyAccount(paths, dialogue)).rejects.toMatchObject({
    code: 'STORE_IN_USE',
    message: expect.stringContaining('matrix.admins'),
  });
  held.lock.release();
});

it('the running relay takes requests of its administrators, as they are now, and none of its own account', async () => {
  let admins = ['@old:ex.org'];
  const lines: unknown[] = [];
  const logger = {
    ...silentLogger,
    warn: (message: string, fields?: object) => void lines.push({ message, ...fields }),
  };
  const policy = adminVerification(() => admins, logger);
  const from = (userId: string, isOwnAccount = false) => policy.accepts({ userId, deviceId: 'D', isOwnAccount });
  expect([from('@old:ex.org'), from('@new:ex.org')]).toEqual([true, false]);
  admins = ['@new:ex.org'];
  expect([from('@old:ex.org'), from('@new:ex.org'), from('@new:ex.org', true)]).toEqual([false, true, false]);
  const requester = { userId: '@new:ex.org', deviceId: 'D', isOwnAccount: false };
  expect(await policy.compare(['🐶 Dog', '🎂 Cake'], requester)).toBe(true);
  expect(lines).toMatchObject([{ user: '@new:ex.org', signs: '🐶 Dog, 🎂 Cake' }]);
});
