import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createClient } from 'matrix-js-sdk';
import { CRYPTO_KEY_FILE } from '../../src/app/account/encryption.ts';
import { deviceStorePath } from '../../src/matrix/crypto/device-store.ts';
import { openCrypto } from '../../src/matrix/crypto/open-crypto.ts';
import { sdkLogger } from '../../src/matrix/sdk-logger.ts';
import { createHomeserver } from '../../src/sandbox/homeserver/homeserver.ts';
import { createVirtualRadio } from '../../src/sandbox/radio/virtual-radio.ts';
import { silentLogger } from '../../src/util/logger.ts';
import { cryptoUser } from '../support/crypto-user.ts';
import { signedInRelay } from '../support/signed-in-relay.ts';
import type { Measure } from './measures.ts';
import { processStats } from './process-stats.ts';
import { NODE, until } from './rig.ts';

const ROOMS = 50;
const SESSIONS = 10_000;
const SETTLE_MS = 5_000;

interface Session {
  readonly userId: string;
  readonly deviceId: string;
}

/** Memory and start of the relay in 50 encrypted rooms, with none and with 10,000 sessions in its store. */
export async function measureEncryptedRooms(entry: string): Promise<readonly Measure[]> {
  return [...(await measureWith(entry, 0)), ...(await measureWith(entry, SESSIONS))];
}

async function measureWith(entry: string, sessions: number): Promise<readonly Measure[]> {
  const home = mkdtempSync(join(tmpdir(), 'mmrelay-bench-'));
  const radio = await createVirtualRadio({ region: 'US', modemPreset: 'SHORT_TURBO', nodes: [NODE] });
  const homeserver = await createHomeserver({ serverName: 'bench.local' });
  const bot = homeserver.registerUser('relay', 'x');
  const person = await cryptoUser(homeserver.baseUrl, homeserver.registerUser('carol', 'x'));
  const rooms: string[] = [];
  for (let n = 0; n < ROOMS; n += 1) rooms.push(await person.createRoom({ encrypted: true }));
  await fillStore(home, bot, rooms, sessions);
  const daemon = signedInRelay({ entry, home, homeserver, bot, radio, meshnet: 'Bench', rooms });
  try {
    // The first life joins the rooms and publishes its keys.
    daemon.start();
    await daemon.ready();
    await person.sees(bot);
    await daemon.end('SIGTERM');
    const startedMs = performance.now();
    daemon.start();
    await daemon.ready();
    const startMs = performance.now() - startedMs;
    await delay(SETTLE_MS);
    const fresh = processStats(daemon.pid);
    radio.node(NODE.num).sendText(0, 'into all rooms');
    const heard = (): number => person.heard.filter(({ sender }) => sender === bot.userId).length;
    await until(() => heard() >= ROOMS, 60_000, 'a text in every room');
    await delay(SETTLE_MS);
    const sent = processStats(daemon.pid).rssMb;
    const where = `${ROOMS} encrypted rooms, ${sessions} sessions`;
    return [
      { name: `${where}: start to ready`, value: startMs, unit: 'ms', goal: '< 2000', met: startMs < 2_000 },
      { name: `${where}: processor time of the start`, value: fresh.cpuMs, unit: 'ms' },
      { name: `${where}: resident after start`, value: fresh.rssMb, unit: 'MB' },
      { name: `${where}: after a text to each`, value: sent, unit: 'MB' },
    ];
  } finally {
    await daemon.close();
    person.stop();
    await radio.close();
    await homeserver.close();
    rmSync(home, { recursive: true, force: true });
  }
}

/** A crypto store as the relay would have it after it was sent this many sessions. */
async function fillStore(home: string, bot: Session, rooms: readonly string[], sessions: number): Promise<void> {
  const { userId, deviceId } = bot;
  const client = createClient({
    baseUrl: 'http://127.0.0.1:9',
    userId,
    deviceId,
    accessToken: 'none',
    fetchFn: () => Promise.reject(new Error('no server')),
    logger: sdkLogger(silentLogger),
  });
  const storeFolder = join(home, 'store');
  mkdirSync(storeFolder);
  const handle = await openCrypto({
    client,
    storePath: deviceStorePath(storeFolder, deviceId),
    keyPath: join(home, CRYPTO_KEY_FILE),
    logger: silentLogger,
    onFailure: (error) => {
      throw error;
    },
  });
  const keys = Array.from({ length: sessions }, (_, n) => exportedSession(rooms[n % rooms.length] ?? ''));
  for (let from = 0; from < keys.length; from += 1_000) {
    await client.getCrypto()?.importRoomKeys(keys.slice(from, from + 1_000));
  }
  client.stopClient();
  await handle.close();
}

type ExportedSession = Parameters<
  NonNullable<ReturnType<ReturnType<typeof createClient>['getCrypto']>>['importRoomKeys']
>[0][number];

/** Random, but of the form of a real one: version, index, ratchet, and a signing key that is a point of the curve. */
function exportedSession(roomId: string): ExportedSession {
  const signingKey = generateKeyPairSync('ed25519').publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  const sessionKey = Buffer.concat([Buffer.of(1, 0, 0, 0, 0), randomBytes(128), signingKey]);
  return {
    algorithm: 'm.megolm.v1.aes-sha2',
    room_id: roomId,
    sender_key: unpadded(randomBytes(32)),
    sender_claimed_keys: { ed25519: unpadded(signingKey) },
    forwarding_curve25519_key_chain: [],
    session_id: unpadded(signingKey),
    session_key: unpadded(sessionKey),
  };
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}
