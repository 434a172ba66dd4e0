import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHomeserver, type Homeserver } from '../../src/sandbox/homeserver/homeserver.ts';
import { adapterSuite } from './support/adapter-suite.ts';
import { useScene } from './support/encryption-scene.ts';
import { encryptionSuite } from './support/encryption-suite.ts';

describe('Homeservers of the Conduit family, as the in-memory one imitates them', () => {
  let homeserver: Homeserver;
  beforeAll(async () => {
    homeserver = await createHomeserver();
    homeserver.tuning.family = 'conduit';
  });
  afterAll(() => homeserver.close());
  const server = () => ({
    baseUrl: homeserver.baseUrl,
    serverName: homeserver.serverName,
    registerUser: async (name: string, password: string) => homeserver.registerUser(name, password),
  });
  describe('adapter', () => adapterSuite(server));
  describe('encrypted rooms', () => encryptionSuite(server));

  describe('habits', () => {
    const scene = useScene(server);

    it('of telling nothing about a room that was left: what was said before it is read all the same', async () => {
      const { alice, bot, relay, sharedRoom, sink, started } = scene();
      const roomId = await sharedRoom(false);
      const first = await started(relay({ rooms: [roomId] }));
      await alice.say(roomId, 'while it listens');
      await sink.until(() => sink.bodies(roomId).length === 1);
      await first.stop();
      await alice.say(roomId, 'go now');
      await alice.client.kick(roomId, bot.userId);
      const isKnownEvent = (id: string): boolean => sink.events(roomId).some(({ eventId }) => eventId === id);
      await started(relay({ rooms: [roomId], isKnownEvent }), sink.token());
      expect(sink.bodies(roomId)).toEqual(['while it listens', 'go now']);
    });
  });

  describe('keys', () => {
    const scene = useScene(server);

    it('of an identity wait for the password, which a command asks for', async () => {
      const { relay, sharedRoom, started } = scene();
      const roomId = await sharedRoom(true);
      const end = Promise.withResolvers<Error | null>();
      const identity = { password: null, reset: false, saveRecoveryKey: () => undefined, onEnd: end.resolve };
      await started(relay({ rooms: [roomId] }, { identity }));
      expect((await end.promise)?.message).toContain('`mmrelay auth reset-cross-signing`');
    });

    it('for one use are made anew when others have used them all', async () => {
      const { alice, bot, proxy, relay, sharedRoom, sink, started } = scene();
      const roomId = await sharedRoom(true);
      const first = await started(relay({ rooms: [roomId] }));
      await alice.sees(bot);
      await first.stop();
      while (await claimOne(bot));
      proxy.fault('none'); // forgets what it has seen
      await started(relay({ rooms: [roomId] }), sink.token());
      await expect.poll(() => proxy.seen.some((line) => line.includes('/keys/upload'))).toBe(true);
      await alice.say(roomId, 'with a new key');
      await sink.until(() => sink.bodies(roomId).includes('with a new key'));
    });
  });
});

async function claimOne(bot: ReturnType<ReturnType<typeof useScene>>['bot']): Promise<boolean> {
  const wanted = { [bot.userId]: { [bot.deviceId]: 'signed_curve25519' } };
  const { one_time_keys: claimed } = await bot.call('POST', '/keys/claim', { one_time_keys: wanted });
  return Object.keys(claimed as object).length > 0;
}
