import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient, type MatrixClient } from 'matrix-js-sdk';
import { expect, onTestFinished, test } from 'vitest';
import { type CryptoHandle, openCrypto } from '../../../src/matrix/crypto/open-crypto.ts';
import { loadStoreKey } from '../../../src/matrix/crypto/store-key.ts';
import { sdkLogger } from '../../../src/matrix/sdk-logger.ts';
import { silentLogger } from '../../../src/util/logger.ts';

interface Files {
  readonly storePath: string;
  readonly keyPath: string;
}

function files(): Files {
  const folder = mkdtempSync(join(tmpdir(), 'mmrelay-crypto-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return { storePath: join(folder, 'crypto.sqlite'), keyPath: join(folder, 'crypto.key') };
}

/** Nobody answers: starting the Rust crypto asks nothing of the server. */
function clientOf(deviceId: string | null): MatrixClient {
  return createClient({
    baseUrl: 'http://127.0.0.1:9',
    userId: '@relay:example.org',
    accessToken: 'token',
    ...(deviceId === null ? {} : { deviceId }),
    fetchFn: () => Promise.reject(new Error('no server')),
    logger: sdkLogger(silentLogger),
  });
}

interface Opened {
  readonly identity: string;
  readonly handle: CryptoHandle;
}

async function openFor(paths: Files, deviceId: string | null = 'DEVICE'): Promise<Opened> {
  const client = clientOf(deviceId);
  const onFailure = (error: Error): never => {
    throw error;
  };
  const handle = await openCrypto({ client, ...paths, logger: silentLogger, onFailure });
  const keys = await client.getCrypto()?.getOwnDeviceKeys();
  client.stopClient();
  return { identity: `${keys?.ed25519} ${keys?.curve25519}`, handle };
}

test('a device keeps its identity from one opening to the next, and leaves no globals behind', async () => {
  const paths = files();
  const first = await openFor(paths);
  await first.handle.close();
  await first.handle.close();
  expect('indexedDB' in globalThis).toBe(false);
  const second = await openFor(paths);
  await second.handle.close();
  expect(second.identity).toBe(first.identity);
  expect(readFileSync(paths.storePath).includes(first.identity.split(' ')[0] ?? '')).toBe(false);
});

test.each([
  [
    'another key',
    (paths: Files) => writeFileSync(paths.keyPath, `${Buffer.alloc(32, 7).toString('base64')}\n`),
    'WRONG',
  ],
  ['a short key', (paths: Files) => writeFileSync(paths.keyPath, 'c2hvcnQ=\n'), 'DAMAGED'],
  ['no key', (paths: Files) => rmSync(paths.keyPath), 'MISSING'],
])('an existing store with %s is refused and left as it is', async (_, change, what) => {
  const paths = files();
  const { handle, identity } = await openFor(paths);
  await handle.close();
  const key = readFileSync(paths.keyPath);
  const before = readFileSync(paths.storePath);
  change(paths);
  await expect(openFor(paths)).rejects.toMatchObject({ code: `CRYPTO_STORE_KEY_${what}` });
  expect(readFileSync(paths.storePath).equals(before)).toBe(true);
  writeFileSync(paths.keyPath, key);
  const again = await openFor(paths);
  await again.handle.close();
  expect(again.identity).toBe(identity);
});

test('a store of another device is refused, and a client without device has no encryption', async () => {
  const paths = files();
  const { handle } = await openFor(paths);
  await handle.close();
  const before = readFileSync(paths.storePath);
  await expect(openFor(paths, 'OTHER')).rejects.toMatchObject({ code: 'CRYPTO_STORE_OTHER_DEVICE' });
  await expect(openFor(paths, null)).rejects.toMatchObject({ code: 'CRYPTO_NO_DEVICE' });
  expect(readFileSync(paths.storePath).equals(before)).toBe(true);
  expect('indexedDB' in globalThis).toBe(false);
});

test('a store that is in use is refused', async () => {
  const paths = files();
  const { handle } = await openFor(paths);
  await expect(openFor(paths)).rejects.toMatchObject({ code: 'CRYPTO_STORE_IN_USE' });
  await handle.close();
});

test('the key file is made once, for the owner only', () => {
  const paths = files();
  const key = loadStoreKey(paths);
  expect(key).toHaveLength(32);
  expect(statSync(paths.keyPath).mode & 0o777).toBe(0o600);
  expect(loadStoreKey(paths)).toEqual(key);
  expect(() => loadStoreKey({ ...paths, keyPath: join(paths.keyPath, 'under a file') })).toThrow(
    expect.objectContaining({ code: 'CRYPTO_STORE_KEY_UNUSABLE' }),
  );
});
