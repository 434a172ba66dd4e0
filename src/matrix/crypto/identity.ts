/**
 * The identity of our account: cross-signing keys, secret storage with a recovery key, key backup. Set up once, on the
 * first start; each step looks first whether it is done. Nothing of somebody else's is replaced.
 */

import type { MatrixClient } from 'matrix-js-sdk';
import type { CryptoCallbacks } from 'matrix-js-sdk/lib/crypto-api/index.js';
import type { JsonObject } from '../../util/json.ts';
import type { Logger } from '../../util/logger.ts';
import { errorText } from '../../util/relay-error.ts';
import { type MatrixApi, path } from '../api.ts';
import { HttpFailure } from '../http.ts';
import { asObject, asString } from '../json-read.ts';
import type { SecretsBundle } from './earlier-identity.ts';

type CryptoApi = NonNullable<ReturnType<MatrixClient['getCrypto']>>;

export interface IdentityOptions {
  /** Homeservers that know passwords ask for it before they replace cross-signing keys; null where there is none. */
  readonly password: string | null;
  /** Replaces an identity that is there, even our own: everybody who has verified the account sees a warning. */
  readonly reset: boolean;
  /** Shown once: keeps the recovery key, before anything depends on it. A throw ends the set-up. */
  readonly saveRecoveryKey: (recoveryKey: string) => void;
  /** Called once: all is as it should be, or what went wrong. */
  readonly onEnd?: (error: Error | null) => void;
  readonly logger: Logger;
}

/** The key of the secret storage, in memory while we set it up. One per SDK client. */
export class SecretStorageKey {
  #key: { readonly id: string | null; readonly bytes: Uint8Array<ArrayBuffer> } | null = null;

  readonly callbacks: CryptoCallbacks = {
    getSecretStorageKey: ({ keys }) => {
      const id = this.#key?.id ?? Object.keys(keys)[0];
      return Promise.resolve(this.#key === null || id === undefined ? null : [id, this.#key.bytes]);
    },
    cacheSecretStorageKey: (id, _info, bytes) => {
      this.#key = { id, bytes };
    },
  };

  use(bytes: Uint8Array<ArrayBuffer>): void {
    this.#key = { id: null, bytes };
  }

  forget(): void {
    this.#key = null;
  }
}

interface Setup {
  /** The private keys of this identity, where an earlier device of ours has kept them. */
  readonly earlier: (masterKey: string) => Promise<SecretsBundle | null>;
  readonly client: MatrixClient;
  readonly crypto: CryptoApi;
  readonly api: MatrixApi;
  readonly key: SecretStorageKey;
}

/** Never throws: without an identity the relay works all the same, and the next start tries again (unless it is a reset). */
export async function setUpIdentity(setup: Setup, options: IdentityOptions): Promise<void> {
  const { logger } = options;
  try {
    if (options.reset) await resetIdentity(setup, options);
    else if (await ensureCrossSigning(setup, options)) await ensureSecretStorage(setup, options);
    options.onEnd?.(null);
  } catch (error) {
    options.onEnd?.(error instanceof Error ? error : new Error(errorText(error)));
    logger.warn('The cross-signing identity could not be set up; the next start tries again', {
      reason: errorText(error),
    });
  } finally {
    setup.key.forget();
  }
}

/** What hung on the old identity, its secret storage and its backup, cannot be opened by the new one: all three are made anew. */
async function resetIdentity(setup: Setup, options: IdentityOptions): Promise<void> {
  const { secretStorage } = setup.client;
  const oldKeyId = await secretStorage.getDefaultKeyId();
  try {
    // Else the SDK wants to write into the old one, before it asks whether it may.
    if (oldKeyId !== null) await secretStorage.setDefaultKeyId(null);
    await makeCrossSigning(setup, options);
  } catch (error) {
    if (oldKeyId !== null) await secretStorage.setDefaultKeyId(oldKeyId);
    throw error;
  }
  await makeSecretStorage(setup, options, { setupNewSecretStorage: true, setupNewKeyBackup: true });
}

/** @returns false when the account's identity is not ours */
async function ensureCrossSigning(setup: Setup, options: IdentityOptions): Promise<boolean> {
  const { client, crypto, api } = setup;
  const published = await publishedKeys(api, client);
  if (published.master !== null && (await haveKeysOf(published.master, setup, options.logger))) {
    if (!published.deviceSigned) await crypto.crossSignDevice(client.getDeviceId() ?? '');
    return true;
  }
  if (published.master !== null) {
    options.logger.info('The account has a cross-signing identity made elsewhere; verify this device from there', {
      device: client.getDeviceId(),
    });
    return false;
  }
  await makeCrossSigning(setup, options);
  return true;
}

/** The private keys are here, or could be taken over from a device before this one. */
async function haveKeysOf(master: string, { crypto, earlier }: Setup, logger: Logger): Promise<boolean> {
  const own = await crypto.getCrossSigningStatus();
  if (own.privateKeysCachedLocally.masterKey) return (await crypto.getCrossSigningKeyId()) === master;
  const secrets = await earlier(master);
  if (secrets === null || crypto.importSecretsBundle === undefined) return false;
  await crypto.importSecretsBundle(secrets);
  logger.info('This device goes on with the identity that the one before it has kept');
  return true;
}

async function makeCrossSigning({ client, crypto }: Setup, options: IdentityOptions): Promise<void> {
  const { password, reset, logger } = options;
  const identifier = { type: 'm.id.user', user: client.getUserId() };
  const advice = reset ? '' : ': run `mmrelay auth reset-cross-signing`, which asks for it';
  await crypto.bootstrapCrossSigning({
    setupNewCrossSigning: true,
    authUploadDeviceSigningKeys: async (makeRequest) => {
      try {
        return await makeRequest(null); // a first identity is free (not with Conduit), and one that was approved in a browser
      } catch (error) {
        const challenge = uiaChallenge(error);
        if (challenge === null) throw error;
        const url = approvalUrl(challenge);
        if (url !== null) throw new Error(`the homeserver wants it approved in a browser: open ${url} and try again`);
        if (password === null) throw new Error(`the homeserver wants the password of the account${advice}`);
        const session = asString(challenge.session);
        return makeRequest({ type: 'm.login.password', identifier, password, session });
      }
    },
  });
  logger.info('Made the cross-signing identity of the account');
}

async function ensureSecretStorage(setup: Setup, options: IdentityOptions): Promise<void> {
  const { client, crypto, api } = setup;
  if (await hasSecretStorage(api, client.getUserId() ?? '')) return;
  const hasBackup = (await crypto.getKeyBackupInfo()) !== null;
  await makeSecretStorage(setup, options, { setupNewKeyBackup: !hasBackup });
}

async function makeSecretStorage(
  { crypto, key }: Setup,
  options: IdentityOptions,
  what: { readonly setupNewSecretStorage?: boolean; readonly setupNewKeyBackup: boolean },
): Promise<void> {
  await crypto.bootstrapSecretStorage({
    ...what,
    createSecretStorageKey: async () => {
      const made = await crypto.createRecoveryKeyFromPassphrase();
      options.saveRecoveryKey(made.encodedPrivateKey ?? '');
      key.use(made.privateKey);
      return made;
    },
  });
  options.logger.info('Made secret storage and key backup');
}

/** Asked from the server: the SDK knows only the account data of this run's syncs. @throws HttpFailure */
async function hasSecretStorage(api: MatrixApi, userId: string): Promise<boolean> {
  try {
    const type = 'm.secret_storage.default_key';
    const content = await api.request('GET', path`/user/${userId}/account_data/${type}`);
    return asString(content.key) !== null;
  } catch (error) {
    if (error instanceof HttpFailure && error.status === 404) return false;
    throw error;
  }
}

interface PublishedKeys {
  readonly master: string | null;
  readonly deviceSigned: boolean;
}

/** What the server shows of us. @throws HttpFailure */
async function publishedKeys(api: MatrixApi, client: MatrixClient): Promise<PublishedKeys> {
  const userId = client.getUserId() ?? '';
  const answer = await api.request('POST', path`/keys/query`, { body: { device_keys: { [userId]: [] } } });
  const [master, selfSigning] = [answer.master_keys, answer.self_signing_keys].map((keys) =>
    publicKey(asObject(asObject(keys)[userId])),
  );
  const device = asObject(asObject(asObject(answer.device_keys)[userId])[client.getDeviceId() ?? '']);
  const signatures = asObject(asObject(device.signatures)[userId]);
  return { master: master ?? null, deviceSigned: `ed25519:${selfSigning}` in signatures };
}

function publicKey(key: JsonObject): string | null {
  return asString(Object.values(asObject(key.keys))[0]);
}

/** The body of a 401 that asks for more (client-server API, "User-Interactive Authentication"). */
function uiaChallenge(error: unknown): JsonObject | null {
  if (!(error instanceof Error) || !('httpStatus' in error) || error.httpStatus !== 401 || !('data' in error)) {
    return null;
  }
  const body = asObject(error.data as JsonObject);
  return Array.isArray(body.flows) ? body : null;
}

/** Where OAuth homeservers let people approve a reset; the second name is that of MSC4312 before it was in the specification. */
function approvalUrl({ params }: JsonObject): string | null {
  const stages = asObject(params);
  const stage = asObject(stages['m.oauth'] ?? stages['org.matrix.cross_signing_reset']);
  return asString(stage.url);
}
