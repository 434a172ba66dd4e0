import { afterEach, beforeEach, expect, it } from 'vitest';
import { createDaemon, type Daemon } from '../../../src/app/daemon/daemon.ts';
import { parseConfig } from '../../../src/config/load.ts';
import { resolvePaths } from '../../../src/config/paths.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { silentLogger } from '../../../src/util/logger.ts';
import { type CryptoUser, cryptoUser } from '../../matrix/support/crypto-user.ts';
import { confirmAsPerson, crossSign, directChat } from '../../matrix/support/sas.ts';
import { type RelayWorld, relayWorld } from '../support/relay-home.ts';

const RELAY = '@relay:test.local';

let world: RelayWorld;
let admin: CryptoUser;
let daemon: Daemon;
const said: Record<string, unknown>[] = [];

beforeEach(async () => {
  world = await relayWorld();
  admin = await cryptoUser(world.homeserver.baseUrl, world.homeserver.registerUser('admin', 'admin-password'));
  const text = world.config().replace('  password:', `  admins: ["${admin.userId}"]\n  password:`);
  const { config, problems } = parseConfig({ text, file: null, env: {} });
  if (config === null) throw new Error(JSON.stringify(problems));
  const logger = {
    ...silentLogger,
    warn: (message: string, fields?: object) => void said.push({ message, ...fields }),
    child: () => logger,
  };
  const paths = resolvePaths({ cli: { home: world.home }, env: {}, cwd: world.home, config });
  daemon = createDaemon({ config, paths, clock: systemClock, random: Math.random, logger, onFatal: console.error });
  daemon.start();
});

afterEach(async () => {
  admin.stop();
  await daemon.stop();
  await world.close();
});

it('the running relay joins the chat of an administrator, is verified there, and shows the emoji in its log', async () => {
  await crossSign(admin);
  const chat = await directChat(admin, RELAY);
  const isInside = () => admin.client.getRoom(chat)?.getMember(RELAY)?.membership === 'join';
  await expect.poll(isInside, { timeout: 20_000 }).toBe(true);
  const crypto = admin.client.getCrypto();
  await expect.poll(() => crypto?.userHasCrossSigningKeys(RELAY, true), { timeout: 20_000 }).toBe(true);
  const request = await crypto?.requestVerificationDM(RELAY, chat);
  if (request === undefined) throw new Error('no crypto');
  const seen = await confirmAsPerson(request);
  expect(said.find(({ signs }) => signs !== undefined)).toMatchObject({ user: admin.userId, signs: seen.join(', ') });
  const status = async () => (await crypto?.getUserVerificationStatus(RELAY))?.isCrossSigningVerified();
  await expect.poll(status, { timeout: 10_000 }).toBe(true);
});
