import { MatrixEvent } from 'matrix-js-sdk';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createHomeserver, type Homeserver } from '../../../src/sandbox/homeserver/homeserver.ts';
import type { CryptoUser } from '../../support/crypto-user.ts';
import { confirmAsPerson, crossSign, directChat, recordingPolicy } from '../../support/sas.ts';
import { useScene } from '../support/encryption-scene.ts';

let homeserver: Homeserver;
beforeAll(async () => {
  homeserver = await createHomeserver();
});
afterAll(() => homeserver.close());
const scene = useScene(() => ({
  baseUrl: homeserver.baseUrl,
  serverName: homeserver.serverName,
  registerUser: async (name, password) => homeserver.registerUser(name, password),
}));

it('is verified in an encrypted chat by a client that encrypts its steps, as Element X does', async () => {
  const { alice, bot, relay, sharedRoom, started } = scene();
  const roomId = await sharedRoom(true);
  const { policy, shown, ended } = recordingPolicy([alice.userId]);
  const identity = { password: 'secret-b', reset: false, saveRecoveryKey: () => undefined };
  await crossSign(alice);
  await started(relay({ rooms: [roomId], welcomes: () => true }, { identity, verification: policy }));
  const crypto = alice.client.getCrypto();
  await alice.sees(bot);
  await expect.poll(() => crypto?.userHasCrossSigningKeys(bot.userId, true), { timeout: 15_000 }).toBe(true);
  const chat = await directChat(alice, bot.userId);
  await expect.poll(() => alice.client.getRoom(chat)?.getMember(bot.userId)?.membership).toBe('join');
  encryptSteps(alice);
  const request = await crypto?.requestVerificationDM(bot.userId, chat);
  if (request === undefined) throw new Error('no crypto');
  const seen = await confirmAsPerson(request);
  await expect.poll(() => ended).toEqual([[alice.userId, true]]);
  expect(shown).toEqual([seen]);
  const steps = homeserver
    .timeline(chat)
    .filter(({ sender, stateKey }) => sender === alice.userId && stateKey === null);
  expect(new Set(steps.map(({ type }) => type))).toEqual(new Set(['m.room.encrypted']));
});

/** matrix-js-sdk sends its steps as they are; from here on they are encrypted on their way out. */
function encryptSteps({ client }: CryptoUser): void {
  const { http } = client;
  const send = http.authedRequest.bind(http);
  http.authedRequest = (async (method, path, query, body, options) => {
    const found = /rooms\/([^/]+)\/send\/(m\.room\.message|m\.key\.verification\.\w+)\/([^/]+)$/.exec(path);
    if (found === null) return send(method, path, query, body, options);
    const [roomId = '', type = '', txn = ''] = found.slice(1).map(decodeURIComponent);
    const room = client.getRoom(roomId);
    const event = new MatrixEvent({ type, content: JSON.parse(String(body)), room_id: roomId });
    const crypto = client.getCrypto() as unknown as { encryptEvent(event: MatrixEvent, room: unknown): Promise<void> };
    await crypto.encryptEvent(event, room);
    const address = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/send/m.room.encrypted/${txn}`;
    return send(method, address as typeof path, query, JSON.stringify(event.getWireContent()) as never, options);
  }) as typeof http.authedRequest;
}
