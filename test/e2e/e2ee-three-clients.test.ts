import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, onTestFinished, test } from 'vitest';
import { createMatrix } from '../../src/matrix/client.ts';
import { DeviceCrypto } from '../../src/matrix/crypto/device-crypto.ts';
import type { OutgoingMedia } from '../../src/relay/ports.ts';
import { systemClock } from '../../src/util/clock.ts';
import type { JsonObject } from '../../src/util/json.ts';
import { silentLogger } from '../../src/util/logger.ts';
import { RecordingSink } from '../matrix/support/recording-sink.ts';
import { cryptoUser } from '../support/crypto-user.ts';
import { testUser } from '../support/test-user.ts';
import { NioUser } from './support/nio-user.ts';
import { startSynapse } from './support/synapse.ts';

const missing = inject('pythonMissing').synapse ?? inject('pythonMissing').nio;

test.skipIf(missing !== null).each([
  ['encrypted from the start', true],
  ['encrypted later', false],
])('the relay, matrix-js-sdk and matrix-nio in a room %s: all read all', async (_, fromTheStart) => {
  const synapse = await startSynapse({ rateLimits: 'off' });
  onTestFinished(() => synapse.stop());
  const { baseUrl } = synapse;
  const bot = testUser(baseUrl, await synapse.registerUser('bot', 'secret-b'));
  const carolSession = await synapse.registerUser('carol', 'secret-c');
  const alice = await cryptoUser(baseUrl, await synapse.registerUser('alice', 'secret-a'));
  onTestFinished(() => alice.stop());
  const carol = await NioUser.start(baseUrl, carolSession);
  onTestFinished(() => carol.stop());
  const roomId = await alice.createRoom({ encrypted: fromTheStart });
  carol.tell({ do: 'join', room: roomId });
  await carol.until(({ kind }) => kind === 'joined');
  const sink = new RecordingSink();
  const relay = startRelay(baseUrl, bot, roomId);
  onTestFinished(() => relay.stop());
  relay.start(sink, null);
  await sink.until(() => sink.states.at(-1)?.status === 'syncing' && relay.room(roomId) !== null);
  let txn = 0;
  const send = async (content: JsonObject, type = 'm.room.message', media?: OutgoingMedia): Promise<string> => {
    for (;;) {
      try {
        const file = media === undefined ? {} : { media };
        return (await relay.send({ roomId, type, content, ...file, txnId: `r${txn++}` })).eventId;
      } catch (error) {
        if ((error as { retry?: { kind: string } }).retry?.kind !== 'later') throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  };
  const relayHears = (body: string): Promise<void> => sink.until(() => sink.bodies(roomId).includes(body));
  await alice.sees(bot);
  if (!fromTheStart) {
    await send({ msgtype: 'm.text', body: 'open' });
    await Promise.all([alice.hears('open'), carol.hears('open')]);
    await alice.encryptRoom(roomId);
    await sink.until(() => relay.room(roomId)?.encrypted === true);
  }

  const hello = await send({ msgtype: 'm.text', body: 'from the relay' });
  expect(await alice.hears('from the relay')).toMatchObject({ id: hello, encrypted: true });
  expect(await carol.hears('from the relay')).toMatchObject({ id: hello, encrypted: true });
  const question = await alice.say(roomId, 'from alice');
  await Promise.all([relayHears('from alice'), carol.hears('from alice')]);
  carol.tell({ do: 'send', room: roomId, content: { msgtype: 'm.text', body: 'from carol' } });
  await Promise.all([relayHears('from carol'), alice.hears('from carol')]);

  await send({ msgtype: 'm.text', body: 'answer', 'm.relates_to': { 'm.in_reply_to': { event_id: question } } });
  await Promise.all([alice.hears('answer'), carol.hears('answer')]);
  await send({ 'm.relates_to': { rel_type: 'm.annotation', event_id: question, key: '👍' } }, 'm.reaction');
  await alice.until(() => alice.heard.some(({ type, sender }) => type === 'm.reaction' && sender === bot.userId));
  const love = { 'm.relates_to': { rel_type: 'm.annotation', event_id: hello, key: '❤' } };
  carol.tell({ do: 'send', room: roomId, type: 'm.reaction', content: love });
  const carols = (type: string) =>
    sink.events(roomId).find((event) => event.type === type && event.sender === carolSession.userId);
  await sink.until(() => carols('m.reaction') !== undefined);
  expect(carols('m.reaction')?.content).toMatchObject(love);
  const edit = { msgtype: 'm.text', body: 'from the relay, corrected' };
  await send({
    ...edit,
    body: `* ${edit.body}`,
    'm.new_content': edit,
    'm.relates_to': { rel_type: 'm.replace', event_id: hello },
  });
  await carol.hears(`* ${edit.body}`);

  const data = new TextEncoder().encode('picture of the relay');
  const media = { data, mimeType: 'image/png', fileName: 'x.png' };
  await send({ msgtype: 'm.image', body: 'x.png' }, 'm.room.message', media);
  expect(await carol.until(({ kind }) => kind === 'image')).toMatchObject({ body: 'picture of the relay' });
  carol.tell({ do: 'image', room: roomId, text: 'picture of carol' });
  await sink.until(() =>
    sink.events(roomId).some(({ content, sender }) => content.msgtype === 'm.image' && sender === carolSession.userId),
  );

  const unread = sink.events(roomId).filter(({ undecryptable }) => undecryptable !== null);
  expect([unread, [...alice.unread], carol.lines.filter(({ kind }) => kind === 'undecryptable')]).toEqual([[], [], []]);
});

function startRelay(
  baseUrl: string,
  bot: ReturnType<typeof testUser>,
  roomId: string,
): ReturnType<typeof createMatrix> {
  const folder = mkdtempSync(join(tmpdir(), 'mmrelay-e2ee-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const { accessToken, deviceId, userId } = bot;
  return createMatrix({
    credentials: { homeserver: baseUrl, accessToken, deviceId, userId },
    login: null,
    saveCredentials: () => undefined,
    rooms: [roomId],
    clock: systemClock,
    logger: silentLogger,
    random: Math.random,
    crypto: new DeviceCrypto({
      storeFolder: join(folder, 'store'),
      keyPath: join(folder, 'crypto.key'),
      trust: 'all',
      required: true,
      canReplaceDevice: false,
      clock: systemClock,
      identity: { password: 'secret-b', reset: false, saveRecoveryKey: () => undefined },
      logger: silentLogger,
      onFatal: (error) => {
        throw error;
      },
    }),
  });
}
