import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { createMatrix, type MatrixAdapter, type MatrixOptions } from '../../../src/matrix/client.ts';
import { DeviceCrypto, type DeviceCryptoOptions } from '../../../src/matrix/crypto/device-crypto.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { silentLogger } from '../../../src/util/logger.ts';
import { type CryptoUser, cryptoUser } from '../../support/crypto-user.ts';
import { type TestUser, testUser } from '../../support/test-user.ts';
import type { SuiteServer } from './adapter-suite.ts';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { RecordingSink } from './recording-sink.ts';

let users = 0;
let txn = 0;

/** A relay's adapter and a person at a client that encrypts, on any homeserver, behind a proxy that fails on demand. */
export interface Scene {
  readonly alice: CryptoUser;
  readonly bot: TestUser;
  readonly folder: string;
  readonly proxy: FaultProxy;
  readonly sink: RecordingSink;
  readonly fatal: unknown[];
  readonly rooms: Set<string>;
  relay(options?: Partial<MatrixOptions>, crypto?: Partial<DeviceCryptoOptions>): MatrixAdapter;
  /** Starts it and waits for its first sync. */
  started(adapter: MatrixAdapter, token?: string | null): Promise<MatrixAdapter>;
  /** A room of Alice with the relay's account in it. */
  sharedRoom(encrypted: boolean): Promise<string>;
  /** Types of the relay's own events as the server holds them, newest first. */
  onServer(roomId: string): Promise<string[]>;
  /** One more person, who ends with the test. */
  person(name: string): Promise<CryptoUser>;
}

export const text = (body: string) => ({ type: 'm.room.message', content: { msgtype: 'm.text', body } });
export const picture = (body: string) => ({
  type: 'm.room.message',
  content: { msgtype: 'm.image', body },
  media: { data: new TextEncoder().encode(`picture ${body}`), mimeType: 'image/png', fileName: body },
});
export const txnId = (): string => `e${txn++}`;

/** A new scene before each test. Call inside `describe`. @returns the scene of the running test */
export function useScene(server: () => SuiteServer): () => Scene {
  let scene: Scene;
  let cleanup: (() => unknown)[] = [];
  beforeEach(async () => {
    cleanup = [];
    scene = await newScene(server(), cleanup);
  });
  afterEach(async () => {
    for (const step of cleanup) await step();
  });
  return () => scene;
}

async function newScene(server: SuiteServer, cleanup: (() => unknown)[]): Promise<Scene> {
  const { baseUrl } = server;
  const n = users++;
  const alice = await cryptoUser(baseUrl, await server.registerUser(`enc-alice${n}`, 'secret-a'));
  const bot = testUser(baseUrl, await server.registerUser(`enc-bot${n}`, 'secret-b'));
  const proxy = await startFaultProxy(baseUrl);
  const folder = mkdtempSync(join(tmpdir(), 'mmrelay-e2ee-'));
  const sink = new RecordingSink();
  const fatal: unknown[] = [];
  const rooms = new Set<string>();
  cleanup.push(
    () => alice.stop(),
    () => proxy.close(),
    () => rmSync(folder, { recursive: true, force: true }),
  );
  const relay: Scene['relay'] = (options, crypto) => {
    const { accessToken, deviceId, userId } = bot;
    const made = createMatrix({
      credentials: { homeserver: proxy.url, accessToken, deviceId, userId },
      login: null,
      saveCredentials: () => undefined,
      rooms: [],
      clock: systemClock,
      logger: silentLogger,
      random: () => 0,
      requestTimeoutMs: 10_000,
      encryptedRooms: rooms,
      crypto: new DeviceCrypto({
        storeFolder: join(folder, 'store'),
        keyPath: join(folder, 'crypto.key'),
        trust: 'all',
        required: false,
        identity: null,
        canReplaceDevice: false,
        clock: systemClock,
        logger: silentLogger,
        onFatal: (error) => fatal.push(error),
        ...crypto,
      }),
      ...options,
    });
    cleanup.unshift(() => made.stop());
    return made;
  };
  return {
    alice,
    bot,
    folder,
    proxy,
    sink,
    fatal,
    rooms,
    relay,
    started: async (made, token = null) => {
      const before = sink.batches.length;
      made.start(sink, token);
      await sink.until(() => sink.batches.length > before && sink.states.at(-1)?.status === 'syncing');
      return made;
    },
    sharedRoom: async (encrypted) => {
      const roomId = await alice.createRoom({ encrypted });
      await bot.call('POST', `/join/${encodeURIComponent(roomId)}`, {});
      return roomId;
    },
    onServer: async (roomId) => {
      const answer = await bot.call('GET', `/rooms/${encodeURIComponent(roomId)}/messages?dir=b&limit=100`);
      const chunk = answer.chunk as { type: string; sender: string; state_key?: string }[];
      const own = chunk.filter((event) => event.sender === bot.userId && event.state_key === undefined);
      return own.map(({ type }) => type);
    },
    person: async (name) => {
      const person = await cryptoUser(baseUrl, await server.registerUser(`enc-${name}${n}`, 'secret-c'));
      cleanup.unshift(() => person.stop());
      return person;
    },
  };
}

/** As a room lane does: again while the failure is one that waiting mends. */
export async function untilSent<Result>(send: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await send();
    } catch (error) {
      if ((error as { retry?: { kind: string } }).retry?.kind !== 'later') throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
