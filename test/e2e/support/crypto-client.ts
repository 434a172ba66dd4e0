// Our client in a process of its own, to be killed: encryption from the durable store, sends and reads in one room, and says
// on stdout, a JSON line each, what it is and sees.
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { ClientEvent, createClient, EventType, type MatrixEvent, MatrixEventEvent, MsgType } from 'matrix-js-sdk';
import { openCrypto } from '../../../src/matrix/crypto/open-crypto.ts';
import { sdkLogger } from '../../../src/matrix/sdk-logger.ts';
import { silentLogger } from '../../../src/util/logger.ts';
import { whyUnreadable } from './read-event.ts';

/** Between two messages: enough for both sides to keep up on a busy machine. */
const PAUSE_MS = 40;

interface ClientArguments {
  readonly baseUrl: string;
  readonly userId: string;
  readonly accessToken: string;
  readonly deviceId: string;
  readonly roomId: string;
  readonly storePath: string;
  readonly keyPath: string;
  readonly life: number;
}

const options = JSON.parse(process.argv[2] ?? '') as ClientArguments;
const { baseUrl, userId, accessToken, deviceId, roomId } = options;
const say = (line: object): void => {
  writeSync(1, `${JSON.stringify(line)}\n`);
};

const client = createClient({ baseUrl, userId, accessToken, deviceId, logger: sdkLogger(silentLogger) });
const crypto = await openCrypto({
  client,
  storePath: options.storePath,
  keyPath: options.keyPath,
  logger: silentLogger,
  onFailure: (error) => {
    throw error;
  },
});
const keys = await client.getCrypto()?.getOwnDeviceKeys();
say({ kind: 'keys', ...keys });

function report(event: MatrixEvent): void {
  const id = event.getId();
  if (event.isDecryptionFailure()) say({ kind: 'undecryptable', id, why: event.decryptionFailureReason });
  else if (event.getType() === EventType.RoomMessage) say({ kind: 'got', id, sender: event.getSender() });
}
client.on(MatrixEventEvent.Decrypted, report);
let talking = false;
client.on(ClientEvent.Sync, async (state) => {
  if (state === 'PREPARED') await client.joinRoom(roomId);
  if (talking || state !== 'SYNCING') return;
  // isEncryptionEnabledInRoom alone will not do: after a restart the store says yes before the SDK has seen the room.
  const room = client.getRoom(roomId);
  if (room?.getMyMembership() !== 'join' || !room.hasEncryptionStateEvent()) return;
  if (!(await client.getCrypto()?.isEncryptionEnabledInRoom(roomId)) || talking) return;
  talking = true;
  await talk();
});

let running = true;
let sending: Promise<unknown> = Promise.resolve();
async function talk(): Promise<void> {
  for (let n = 0; running; n += 1) {
    const content = { msgtype: MsgType.Text as const, body: `life ${options.life} message ${n}` };
    sending = client.sendEvent(roomId, EventType.RoomMessage, content);
    const { event_id: id } = (await sending) as { event_id: string };
    say({ kind: 'sent', id });
    await delay(PAUSE_MS);
  }
}

/** `quiet` ends the talking; a JSON list of event ids asks whether each can be read now; the end of stdin ends it all. */
await client.startClient({ initialSyncLimit: 50, threadSupport: false });
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'quiet') {
    running = false;
    await sending;
    say({ kind: 'stopped' });
    continue;
  }
  for (const id of JSON.parse(line) as string[]) {
    const why = await whyUnreadable(client, roomId, id);
    say(why === null ? { kind: 'got', id } : { kind: 'undecryptable', id, why });
  }
  say({ kind: 'checked' });
}
client.stopClient();
await crypto.close();
process.exit(0);
