import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Daemon } from '../../../src/app/daemon/daemon.ts';
import { silentLogger } from '../../../src/util/logger.ts';
import { type CryptoUser, cryptoUser } from '../../support/crypto-user.ts';
import { daemonOn } from '../../support/daemon-on.ts';
import { type RelayWorld, relayWorld } from '../../support/relay-world.ts';
import { confirmAsPerson, crossSign, directChat } from '../../support/sas.ts';

const RELAY = '@relay:test.local';

let world: RelayWorld;
let admin: CryptoUser;
let daemon: Daemon;
const said: Record<string, unknown>[] = [];

beforeEach(async () => {
  world = await relayWorld();
  admin = await cryptoUser(world.homeserver.baseUrl, world.homeserver.registerUser('admin', 'admin-password'));
  const text = world.config().replace('  password:', `  admins: ["${admin.userId}"]\n  password:`);
  const logger = {
    ...silentLogger,
    warn: (message: string, fields?: object) => void said.push({ message, ...fields }),
    child: () => logger,
  };
  daemon = daemonOn(world.home, text, { logger, onFatal: console.error });
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
