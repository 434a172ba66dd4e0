import { randomBytes } from 'node:crypto';
import {
  OnlySignedDevicesIsolationMode,
  VerificationPhase,
  type VerificationRequest,
} from 'matrix-js-sdk/lib/crypto-api/index.js';
import { expect, it } from 'vitest';
import type { CryptoUser } from '../../support/crypto-user.ts';
import { confirmAsPerson, crossSign, directChat, recordingPolicy } from '../../support/sas.ts';
import type { TestUser } from '../../support/test-user.ts';
import type { SuiteServer } from './adapter-suite.ts';
import { text, txnId, untilSent, useScene } from './encryption-scene.ts';

const identity = { password: 'secret-b', reset: false, saveRecoveryKey: () => undefined };

/** What the adapter promises about who trusts whom, against any homeserver. Call inside `describe`. */
export function trustSuite(server: () => SuiteServer): void {
  const scene = useScene(server);

  const botIsCrossSigned = async (alice: CryptoUser, userId: string): Promise<void> => {
    const crypto = alice.client.getCrypto();
    await expect.poll(() => crypto?.userHasCrossSigningKeys(userId, true), { timeout: 15_000 }).toBe(true);
  };

  it('is verified by emoji with a device: both sides see the same, and the account is trusted after that', async () => {
    const { alice, bot, relay, sharedRoom, started } = scene();
    const roomId = await sharedRoom(true);
    const { policy, shown, ended } = recordingPolicy([alice.userId]);
    await started(relay({ rooms: [roomId] }, { identity, verification: policy }));
    await Promise.all([crossSign(alice), alice.sees(bot), botIsCrossSigned(alice, bot.userId)]);
    const crypto = alice.client.getCrypto();
    const request = await crypto?.requestDeviceVerification(bot.userId, bot.deviceId);
    if (request === undefined) throw new Error('no crypto');
    const seen = await confirmAsPerson(request);
    expect(seen).toHaveLength(7);
    await expect.poll(() => ended).toEqual([[alice.userId, true]]);
    expect(shown).toEqual([seen]);
    const status = async () => await crypto?.getDeviceVerificationStatus(bot.userId, bot.deviceId);
    await expect.poll(async () => (await status())?.isVerified(), { timeout: 10_000 }).toBe(true);
  });

  it('is verified in a direct chat, which it joins on the invitation of a user who may', async () => {
    const { alice, bot, relay, sharedRoom, started } = scene();
    const roomId = await sharedRoom(true);
    const { policy, shown, ended } = recordingPolicy([alice.userId]);
    await crossSign(alice);
    const welcomes = (userId: string): boolean => userId === alice.userId;
    await started(relay({ rooms: [roomId], welcomes }, { identity, verification: policy }));
    await Promise.all([alice.sees(bot), botIsCrossSigned(alice, bot.userId)]);
    const chat = await directChat(alice, bot.userId);
    const request = await alice.client.getCrypto()?.requestVerificationDM(bot.userId, chat);
    if (request === undefined) throw new Error('no crypto');
    const seen = await confirmAsPerson(request);
    await expect.poll(() => ended).toEqual([[alice.userId, true]]);
    expect(shown).toEqual([seen]);
    const status = async () => await alice.client.getCrypto()?.getUserVerificationStatus(bot.userId);
    await expect.poll(async () => (await status())?.isCrossSigningVerified(), { timeout: 10_000 }).toBe(true);
  });

  it('is not verified where the emoji differ, nor by users who may not, whose chats it does not join', async () => {
    const { alice, bot, relay, sharedRoom, started, person } = scene();
    const roomId = await sharedRoom(true);
    const { policy, ended, asked } = recordingPolicy([alice.userId], false);
    const welcomes = (userId: string): boolean => userId === alice.userId;
    const adapter = await started(relay({ rooms: [roomId], welcomes }, { identity, verification: policy }));
    const mallory = await person('mallory');
    await mallory.client.joinRoom(roomId);
    await Promise.all([alice.sees(bot), mallory.sees(bot)]);
    const chat = await directChat(mallory, bot.userId);
    const ignored = await askUntilHeard(mallory, bot, () => asked.some(({ userId }) => userId === mallory.userId));
    const request = await alice.client.getCrypto()?.requestDeviceVerification(bot.userId, bot.deviceId);
    if (request === undefined) throw new Error('no crypto');
    await expect(confirmAsPerson(request)).rejects.toThrow();
    await expect.poll(() => ended).toEqual([[alice.userId, false]]);
    expect([VerificationPhase.Requested, VerificationPhase.Cancelled]).toContain(ignored.phase);
    expect(adapter.room(chat)).toBeNull();
  });

  it('cross_signed: only signed devices get the keys, and only what they say is read', async () => {
    const { alice, bot, relay, sharedRoom, started, sink, person } = scene();
    const roomId = await sharedRoom(true);
    const bob = await person('bob');
    await bob.client.joinRoom(roomId);
    await crossSign(bob);
    const adapter = await started(relay({ rooms: [roomId] }, { identity, trust: 'cross-signed' }));
    await Promise.all([alice.sees(bot), bob.sees(bot), botIsCrossSigned(bob, bot.userId)]);
    await untilSent(() => adapter.send({ roomId, ...text('for signed devices'), txnId: 'signed' }));
    await bob.hears('for signed devices');
    await alice.until(() => [...alice.unread.values()].includes('MEGOLM_KEY_WITHHELD_FOR_UNVERIFIED_DEVICE'));
    await alice.say(roomId, 'from an unsigned device');
    await bob.say(roomId, 'from a signed device');
    await sink.until(() => sink.bodies(roomId).includes('from a signed device'));
    const refused = sink.events(roomId).filter(({ undecryptable }) => undecryptable !== null);
    expect(refused).toMatchObject([{ sender: alice.userId, undecryptable: 'unsigned-sender' }]);
    await crossSign(alice);
    await sink.until(() => sink.learned.some(({ content }) => content.body === 'from an unsigned device'));
    await expect
      .poll(
        async () => {
          const { eventId } = await untilSent(() => adapter.send({ roomId, ...text('again'), txnId: txnId() }));
          return alice
            .until(() => alice.unread.has(eventId) || alice.heard.some(({ id }) => id === eventId))
            .then(() => alice.heard.some(({ id }) => id === eventId));
        },
        { timeout: 15_000, interval: 500 },
      )
      .toBe(true);
  });

  it.each([
    'while it runs',
    'while it is away',
  ])('cross_signed: goes on with a user it has verified who makes a new identity %s', async (when) => {
    const { alice, bot, proxy, relay, sharedRoom, sink, started } = scene();
    const roomId = await sharedRoom(true);
    const { policy, ended } = recordingPolicy([alice.userId]);
    const welcomes = (userId: string): boolean => userId === alice.userId;
    const newRelay = () =>
      relay({ rooms: [roomId], welcomes }, { identity, trust: 'cross-signed', verification: policy });
    let adapter = await started(newRelay());
    await Promise.all([crossSign(alice), alice.sees(bot), botIsCrossSigned(alice, bot.userId)]);
    const chat = await directChat(alice, bot.userId);
    const request = await alice.client.getCrypto()?.requestVerificationDM(bot.userId, chat);
    if (request === undefined) throw new Error('no crypto');
    await confirmAsPerson(request);
    await expect.poll(() => ended).toEqual([[alice.userId, true]]);
    if (when === 'while it is away') await adapter.stop();
    proxy.fault('none');
    await crossSign(alice, 'secret-a');
    if (when === 'while it is away') adapter = await started(newRelay(), sink.token());
    await expect.poll(() => proxy.seen.filter((line) => line.includes('/keys/query')).length).toBeGreaterThan(0);
    await alice.say(roomId, 'by another identity');
    // The message may be there before the news of the identity.
    const bodies = () => [...sink.bodies(roomId), ...sink.learned.map(({ content }) => content.body)];
    await sink.until(() => bodies().includes('by another identity'));
    for (const body of ['one', 'two']) {
      await untilSent(() => adapter.send({ roomId, ...text(body), txnId: body }));
      await alice.hears(body);
    }
  });

  it('tells that a client refuses the key to an unverified relay', async () => {
    const { alice, bot, relay, sharedRoom, started, sink } = scene();
    const roomId = await sharedRoom(true);
    await started(relay({ rooms: [roomId] }));
    await crossSign(alice);
    await alice.sees(bot);
    alice.client.getCrypto()?.setDeviceIsolationMode(new OnlySignedDevicesIsolationMode());
    const id = await alice.say(roomId, 'not for you');
    const reasons = () => [...sink.events(roomId), ...sink.learned].filter(({ eventId }) => eventId === id);
    await sink.until(() => reasons().some(({ undecryptable }) => undecryptable === 'refused-unverified'));
  });

  it('leaves an identity made elsewhere alone, and replaces it when it is told to', async () => {
    const { alice, bot, relay, sharedRoom, sink, started } = scene();
    const roomId = await sharedRoom(true);
    const shown: string[] = [];
    const saveRecoveryKey = (key: string): void => void shown.push(key);
    await uploadForeignIdentity(bot);
    const published = async () => {
      const keys = await alice.client.downloadKeysForUsers([bot.userId]);
      const signatures = keys.device_keys[bot.userId]?.[bot.deviceId]?.signatures?.[bot.userId] ?? {};
      return {
        master: Object.values(keys.master_keys?.[bot.userId]?.keys ?? {})[0],
        signatures: Object.keys(signatures).length,
      };
    };
    const foreign = await published();
    const first = await started(relay({ rooms: [roomId] }, { identity: { ...identity, saveRecoveryKey } }));
    await alice.sees(bot);
    await alice.say(roomId, 'first life');
    await sink.until(() => sink.bodies(roomId).includes('first life'));
    expect(await published()).toEqual({ master: foreign.master, signatures: 1 });
    expect(shown).toEqual([]);
    await first.stop();
    const ended = Promise.withResolvers<Error | null>();
    const reset = { ...identity, saveRecoveryKey, reset: true, onEnd: ended.resolve };
    const second = await started(relay({ rooms: [roomId] }, { identity: reset }), sink.token());
    expect(await ended.promise).toBeNull();
    const own = await published();
    expect(own).toMatchObject({ master: expect.not.stringMatching(foreign.master ?? ''), signatures: 2 });
    expect([shown.length, Number((await bot.call('GET', '/room_keys/version')).version)]).toEqual([1, 1]);
    await second.stop();
    await started(relay({ rooms: [roomId] }, { identity: { ...identity, saveRecoveryKey } }), sink.token());
    await alice.say(roomId, 'third life');
    await sink.until(() => sink.bodies(roomId).includes('third life'));
    expect([await published(), shown.length]).toEqual([own, 1]);
  });

  it('without a password a first identity is made, and none is replaced', async () => {
    const { alice, bot, relay, sharedRoom, sink, started } = scene();
    const roomId = await sharedRoom(true);
    const first = Promise.withResolvers<Error | null>();
    const noPassword = { ...identity, password: null };
    const adapter = await started(relay({ rooms: [roomId] }, { identity: { ...noPassword, onEnd: first.resolve } }));
    expect(await first.promise).toBeNull();
    await botIsCrossSigned(alice, bot.userId);
    await adapter.stop();
    const second = Promise.withResolvers<Error | null>();
    const reset = { ...noPassword, reset: true, onEnd: second.resolve };
    await started(relay({ rooms: [roomId] }, { identity: reset }), sink.token());
    expect((await second.promise)?.message).toContain('wants the password');
  });

  it.each([
    'rate-limit',
    'error-500',
  ] as const)('keys/upload answered with %s for a while: no hot loop, and all read all after it', async (fault) => {
    const { alice, bot, proxy, relay, sharedRoom, sink, started } = scene();
    const roomId = await sharedRoom(true);
    proxy.fault(fault, /keys\/upload/);
    const adapter = await started(relay({ rooms: [roomId], pollTimeoutMs: 1_000 }));
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    const uploads = proxy.seen.filter((line) => line.includes('/keys/upload')).length;
    expect(uploads).toBeGreaterThan(0);
    expect(uploads).toBeLessThan(12);
    expect(proxy.seen.length).toBeLessThan(60);
    proxy.fault('none');
    await alice.sees(bot);
    const sent = await untilSent(() => adapter.send({ roomId, ...text('after the fault'), txnId: 'fault' }));
    expect(await alice.hears('after the fault')).toMatchObject({ id: sent.eventId, encrypted: true });
    await alice.say(roomId, 'read by the relay');
    await sink.until(() => sink.bodies(roomId).includes('read by the relay'));
    expect(alice.heard.filter(({ content }) => content.body === 'after the fault')).toHaveLength(1);
    expect([...alice.unread]).toEqual([]);
  });
}

/** As another client of the account would leave it. */
async function uploadForeignIdentity(bot: TestUser): Promise<void> {
  const master = randomBytes(32).toString('base64').replace('=', '');
  const keys = { user_id: bot.userId, usage: ['master'], keys: { [`ed25519:${master}`]: master } };
  await bot.call('POST', '/keys/device_signing/upload', { master_key: keys });
}

/** The relay passes over requests of devices that it has not heard of yet. */
async function askUntilHeard(
  { client }: CryptoUser,
  bot: { readonly userId: string; readonly deviceId: string },
  isHeard: () => boolean,
): Promise<VerificationRequest> {
  for (;;) {
    const request = await client.getCrypto()?.requestDeviceVerification(bot.userId, bot.deviceId);
    await new Promise((resolve) => setTimeout(resolve, 500));
    if (request !== undefined && isHeard()) return request;
  }
}
