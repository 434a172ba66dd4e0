import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { createHomeserver } from '../../src/sandbox/homeserver/homeserver.ts';
import { createVirtualRadio } from '../../src/sandbox/radio/virtual-radio.ts';
import { type CryptoUser, cryptoUser } from '../support/crypto-user.ts';
import type { DaemonProcess } from '../support/daemon-process.ts';
import { signedInRelay } from '../support/signed-in-relay.ts';
import { canMount, smallDisk } from './support/small-disk.ts';

const NODE = { num: 0x0a11ce01, longName: 'Alice', shortName: 'ALI' };

interface World {
  readonly daemon: DaemonProcess;
  readonly person: CryptoUser;
  readonly roomId: string;
  readonly storePath: string;
  readonly keyPath: string;
  /** The identity key of the relay's device as the homeserver has it; undefined when there is none. */
  identity(): Promise<string | undefined>;
  /** What was transmitted, without its prefix. */
  onAir(): readonly string[];
  meshSays(text: string): void;
}

/** The relay in a process of its own between a virtual radio and a homeserver here, with one encrypted room. */
async function world(home: string, wrapper: readonly string[] = []): Promise<World> {
  const radio = await createVirtualRadio({ region: 'US', modemPreset: 'SHORT_TURBO', nodes: [NODE] });
  onTestFinished(() => radio.close());
  const homeserver = await createHomeserver({ serverName: 'crypto.local' });
  onTestFinished(() => homeserver.close());
  const bot = homeserver.registerUser('relay', 'x');
  const person = await cryptoUser(homeserver.baseUrl, homeserver.registerUser('carol', 'x'));
  onTestFinished(() => person.stop());
  const roomId = await person.createRoom({ encrypted: true });
  const daemon = signedInRelay({ home, wrapper, homeserver, bot, radio, meshnet: 'Full', rooms: [roomId] });
  onTestFinished(() => daemon.close());
  return {
    daemon,
    person,
    roomId,
    storePath: join(home, 'store', `crypto-${bot.deviceId}.sqlite`),
    keyPath: join(home, 'crypto.key'),
    identity: async () => {
      const { device_keys } = await person.client.downloadKeysForUsers([bot.userId]);
      return device_keys[bot.userId]?.[bot.deviceId]?.keys[`curve25519:${bot.deviceId}`];
    },
    onAir: () =>
      radio.mesh.heard.map(({ packet }) => new TextDecoder().decode(packet.payload).replace('carol[M]: ', '')),
    meshSays: (text) => void radio.node(NODE.num).sendText(0, text),
  };
}

function newHome(): string {
  const home = mkdtempSync(join(tmpdir(), 'mmrelay-crypto-'));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  mkdirSync(join(home, 'store'));
  return home;
}

/** Starts the relay, and waits until it carries. */
async function carries({ daemon, person, roomId, onAir, identity }: World): Promise<void> {
  daemon.start();
  await daemon.ready();
  await expect.poll(identity, { timeout: 20_000 }).toBeDefined();
  const before = onAir().length;
  await person.say(roomId, `carried ${before}`);
  await daemon.until(() => onAir().length > before, 'a text on air');
}

test.skipIf(!canMount)(
  'the disk of the store is full: exit code 5 and a clear word, the same again, and nothing is lost when there is room',
  async () => {
    const home = newHome();
    const disk = await smallDisk(join(home, 'store'), 8_192);
    onTestFinished(() => disk.close());
    const all = await world(home, disk.wrapper);
    const { daemon, person, roomId, identity, onAir, meshSays } = all;
    await carries(all);
    const key = await identity();
    disk.fill();
    const ended = daemon.exited();
    const said = [...onAir()];
    let over = false;
    void ended.then(() => {
      over = true;
    });
    // The log of SQLite has room for some more changes; each of these makes or brings a key.
    for (let n = 0; !over && n < 100; n += 1) {
      said.push(`into a full disk ${n}`);
      await person.say(roomId, `into a full disk ${n}`);
      meshSays(`from the mesh ${n}`);
      await delay(100);
    }
    expect(await ended).toBe(5);
    const why = /cannot save: the disk of .* is full; make room and start again/;
    expect(daemon.output).toMatch(why);
    daemon.output = '';
    daemon.start();
    expect(await daemon.exited()).toBe(5);
    expect(daemon.output).toMatch(why);

    disk.free();
    daemon.start();
    await daemon.ready();
    expect(await identity()).toBe(key);
    await person.say(roomId, 'there is room again');
    said.push('there is room again');
    await expect.poll(onAir, { timeout: 2_500 * said.length }).toEqual(said);
    meshSays('the last one');
    await person.hears('[Alice/Full]: the last one');
    expect([...person.unread]).toEqual([]);
    expect(await daemon.end('SIGTERM')).toBe(0);
  },
  180_000,
);

test('a store that is cut off, newer, or of another key ends the relay with code 5, and is not touched', async () => {
  const all = await world(newHome());
  const { daemon, storePath, keyPath, identity } = all;
  await carries(all);
  expect(await daemon.end('SIGTERM')).toBe(0);
  const [store, key, published] = [readFileSync(storePath), readFileSync(keyPath), await identity()];
  const damages: readonly (readonly [code: string, damage: () => void])[] = [
    ['CRYPTO_STORE_CORRUPT', () => truncateSync(storePath, store.length / 2)],
    ['CRYPTO_STORE_CORRUPT', () => truncateSync(storePath, 0)],
    ['CRYPTO_STORE_NEWER', () => new Database(storePath).exec('PRAGMA user_version = 99').close()],
    ['CRYPTO_STORE_KEY_WRONG', () => writeFileSync(keyPath, `${Buffer.alloc(32, 7).toString('base64')}\n`)],
    ['CRYPTO_STORE_KEY_MISSING', () => rmSync(keyPath)],
  ];
  for (const [code, damage] of damages) {
    damage();
    const damaged = readFileSync(storePath);
    daemon.output = '';
    daemon.start();
    expect(await daemon.exited(), daemon.output).toBe(5);
    expect(daemon.output).toContain(code);
    expect(readFileSync(storePath).equals(damaged)).toBe(true);
    expect(await identity()).toBe(published);
    writeFileSync(storePath, store);
    writeFileSync(keyPath, key);
  }
  await carries(all);
  expect(await identity()).toBe(published);
}, 120_000);
