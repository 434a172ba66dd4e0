/**
 * The identity of our account, as an earlier device of ours has kept it. When the homeserver has removed that device, a
 * new one takes its place: signed with these keys, it is no stranger to those who trust the account.
 */

import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { CryptoApi } from 'matrix-js-sdk/lib/crypto-api/index.js';
import type { Logger } from '../../util/logger.ts';
import { errorText } from '../../util/relay-error.ts';
import { loadSdk, sdkLogger } from '../sdk-logger.ts';
import { storedDevice } from './device-store.ts';

/** The private keys of an identity, and that of the key backup. */
export type SecretsBundle = Awaited<ReturnType<NonNullable<CryptoApi['exportSecretsBundle']>>>;

export interface OwnDevice {
  readonly userId: string;
  readonly deviceId: string;
}

export interface EarlierStores {
  readonly storeFolder: string;
  readonly keyPath: string;
  readonly logger: Logger;
}

/** Each takes a moment to open, and at every start of a relay whose account has an identity made elsewhere. */
const MAX_STORES = 5;

/**
 * Looks for this identity in the stores of other devices of the user, the one used last first. Not while another store
 * is being opened.
 * @returns null when none holds its private keys
 */
export async function earlierIdentity(
  masterKey: string,
  device: OwnDevice,
  stores: EarlierStores,
): Promise<SecretsBundle | null> {
  const others = storesIn(stores.storeFolder).filter(({ deviceId }) => deviceId !== device.deviceId);
  for (const { storePath, deviceId } of others.slice(0, MAX_STORES)) {
    try {
      const found = await readIdentity({ userId: device.userId, deviceId, storePath }, stores);
      if (found?.masterKey === masterKey) return found.secrets;
    } catch (error) {
      // Of another account, without the keys, or damaged: none of it is in the way of the new device.
      stores.logger.debug('A store holds no identity for us', { store: storePath, reason: errorText(error) });
    }
  }
  return null;
}

function storesIn(folder: string): readonly { readonly storePath: string; readonly deviceId: string }[] {
  return readdirSync(folder)
    .flatMap((name) => {
      const deviceId = storedDevice(name);
      const storePath = join(folder, name);
      return deviceId === null ? [] : [{ storePath, deviceId, usedMs: statSync(storePath).mtimeMs }];
    })
    .sort((a, b) => b.usedMs - a.usedMs);
}

async function readIdentity(
  store: OwnDevice & { readonly storePath: string },
  { keyPath, logger }: EarlierStores,
): Promise<{ readonly masterKey: string; readonly secrets: SecretsBundle } | null> {
  const { userId, deviceId, storePath } = store;
  const [sdk, { openCrypto }] = await Promise.all([loadSdk(), import('./open-crypto.ts')]);
  // A client that never starts and reaches nobody: the SDK opens a store for a client only.
  const fetchFn = (): Promise<Response> => Promise.reject(new Error('this client is offline'));
  const client = sdk.createClient({
    baseUrl: 'http://127.0.0.1',
    userId,
    deviceId,
    fetchFn,
    logger: sdkLogger(logger),
    disableVoip: true,
  });
  const handle = await openCrypto({ client, storePath, keyPath, logger, onFailure: () => undefined });
  try {
    const crypto = client.getCrypto();
    const masterKey = (await crypto?.getCrossSigningKeyId()) ?? null;
    const secrets = await crypto?.exportSecretsBundle?.();
    return masterKey === null || secrets === undefined ? null : { masterKey, secrets };
  } finally {
    client.stopClient();
    await handle.close();
  }
}
