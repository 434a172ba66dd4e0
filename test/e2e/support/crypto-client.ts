// Our client in a process of its own, to be killed: encryption from the durable store, sends and reads in one room, and says
// on stdout, a JSON line each, what it is and sees.
import { writeSync } from 'node:fs';
import { ClientEvent, createClient, EventType, type MatrixEvent, MatrixEventEvent, MsgType } from 'matrix-js-sdk';
import { openCrypto } from '../../../src/matrix/crypto/open-crypto.ts';
import { sdkLogger } from '../../../src/matrix/sdk-logger.ts';
import { silentLogger } from '../../../src/util/logger.ts';

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
  // The room is configured for encryption a moment after the join has come down the sync.
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
  }
}

process.stdin.once('data', () => {
  running = false;
  void sending.then(async () => {
    say({ kind: 'stopped' });
  });
  process.stdin.once('data', () => {
    client.stopClient();
    void crypto.close().then(() => process.exit(0));
  });
});
await client.startClient({ initialSyncLimit: 100, threadSupport: false });
