/**
 * Encryption by the Rust crypto of matrix-js-sdk, its keys in a store that outlives the process. One per adapter; holds
 * the open store of the device in use. Invariants: `encrypt` gives ciphertext or throws; a device id whose keys on the
 * server are not ours is never used, because a second identity under one id is what other clients warn of.
 */

import { existsSync, mkdirSync, rmSync } from 'node:fs';
import type { MatrixClient, MatrixEvent, Room } from 'matrix-js-sdk';
import type { CryptoApi, CryptoCallbacks } from 'matrix-js-sdk/lib/crypto-api/index.js';
import type { RoomEvent, Unreadable } from '../../relay/ports.ts';
import type { Clock } from '../../util/clock.ts';
import { isObject, type JsonObject } from '../../util/json.ts';
import type { Logger } from '../../util/logger.ts';
import { errorText, RETRY_LATER, RelayError } from '../../util/relay-error.ts';
import type { MatrixApi } from '../api.ts';
import { loadSdk } from '../sdk-logger.ts';
import { encryptAttachment } from './attachment.ts';
import { AwaitedEvents, type PendingList } from './awaited-events.ts';
import { deviceStorePath, publishedDeviceKey } from './device-store.ts';
import { earlierIdentity, type OwnDevice } from './earlier-identity.ts';
import { type IdentityOptions, SecretStorageKey, setUpIdentity } from './identity.ts';
import { acceptNewIdentities } from './identity-changes.ts';
import type { CryptoHandle } from './open-crypto.ts';
import { type ClearEvent, type Decrypted, encryptionRefusal, type RoomCrypto } from './room-crypto.ts';
import { type VerificationBackend, type VerificationPolicy, Verifications } from './verification.ts';

export interface DeviceCryptoOptions {
  /** Folder of the stores, one file per device; made when it is not there. */
  readonly storeFolder: string;
  /** The key file that opens them. */
  readonly keyPath: string;
  /** Who gets our keys: every device of the members, or those their owner has cross-signed. */
  readonly trust: 'all' | 'cross-signed';
  /** Encryption is asked for, not only welcome: that it cannot be started is fatal. */
  readonly required: boolean;
  /** For the identity of the account; null: none is made. */
  readonly identity: Omit<IdentityOptions, 'logger'> | null;
  /** A new device can be made, because there is a password. */
  readonly canReplaceDevice: boolean;
  /** Who may verify us by emoji; absent: nobody. */
  readonly verification?: VerificationPolicy;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The store is unusable, or cannot be written any more: the process must end. */
  readonly onFatal: (error: unknown) => void;
}

/** The part of the SDK's crypto that its types keep to itself; checked when it is taken. */
interface CryptoBackend extends CryptoApi, VerificationBackend {
  readonly eventDecryptor: PendingList;
  encryptEvent(event: MatrixEvent, room: Room): Promise<void>;
  onSyncCompleted(state: object): void;
}

interface Session {
  readonly sdk: typeof import('matrix-js-sdk');
  readonly client: MatrixClient;
  readonly backend: CryptoBackend;
  readonly handle: CryptoHandle;
  readonly awaited: AwaitedEvents;
  readonly verifications: Verifications | null;
  /** Rejects when the session ends, so that nobody waits for a client that has stopped. */
  readonly ended: Promise<never>;
  readonly end: (error: Error) => void;
}

export class DeviceCrypto implements RoomCrypto {
  readonly #options: DeviceCryptoOptions;
  #session: Session | null = null;
  #problem: string | null = null;
  #deviceListsStale = false;
  readonly #secretStorageKey = new SecretStorageKey();
  #opening: Promise<unknown> = Promise.resolve();

  constructor(options: DeviceCryptoOptions) {
    this.#options = options;
  }

  callbacks(): CryptoCallbacks {
    return this.#secretStorageKey.callbacks;
  }

  async attach(client: MatrixClient, api: MatrixApi): Promise<void> {
    await this.detach();
    this.#problem = null;
    const userId = client.getUserId();
    const deviceId = client.getDeviceId();
    if (userId === null || deviceId === null) {
      this.#refuse('the access token has no device: run `mmrelay auth login`');
      return;
    }
    const storePath = deviceStorePath(this.#options.storeFolder, deviceId);
    const isNew = !existsSync(storePath);
    const publishedKey = await publishedDeviceKey(api, userId, deviceId);
    if (isNew && publishedKey !== null) {
      this.#deviceTaken(deviceId);
      return;
    }
    const session = await this.#inTurn(() => this.#open(client, storePath));
    if (session === null) return;
    const own = await client.getCrypto()?.getOwnDeviceKeys();
    if (publishedKey !== null && own?.ed25519 !== publishedKey) {
      client.stopClient();
      await session.handle.close();
      if (isNew) rmSync(storePath, { force: true });
      this.#deviceTaken(deviceId);
      return;
    }
    this.#session = session;
    this.#setUpIdentity(session, api, { userId, deviceId });
  }

  async encrypt(roomId: string, event: ClearEvent): Promise<ClearEvent> {
    const session = this.#ready(`room ${roomId} is encrypted`);
    const room = session.client.getRoom(roomId);
    if (room === null || !room.hasEncryptionStateEvent())
      throw notYet(`The encryption of room ${roomId} is not known yet`);
    this.#needDeviceLists(session);
    const { content, type } = event;
    const outgoing = new session.sdk.MatrixEvent({ type, content: structuredClone(content), room_id: roomId });
    await this.#guarded(roomId, Promise.race([this.#encryptFor(room, outgoing, session), session.ended]));
    // Keys may have gone to a part of the members only: the next try shares the same session with the others.
    this.#needDeviceLists(session);
    const encrypted = { type: outgoing.getWireType(), content: outgoing.getWireContent() as JsonObject };
    if (encrypted.type !== 'm.room.encrypted' || typeof encrypted.content.ciphertext !== 'string') {
      throw encryptionRefusal(`room ${roomId} is encrypted`, 'the SDK did not encrypt');
    }
    return encrypted;
  }

  async decrypt(roomId: string, event: JsonObject, onMore: (result: Decrypted) => void): Promise<Decrypted> {
    const session = this.#session;
    if (session === null) return { undecryptable: this.#problem === null ? 'no-key' : 'no-crypto' };
    const incoming = session.client.getEventMapper({ decrypt: false, preventReEmit: true })({
      ...event,
      room_id: roomId,
    });
    try {
      await session.client.decryptEventIfNeeded(incoming);
    } catch (error) {
      this.#options.logger.warn('A message could not be decrypted', { room: roomId, reason: errorText(error) });
      return { undecryptable: 'no-key' };
    }
    const first = readResult(incoming);
    if (!('undecryptable' in first)) return first;
    const reason = incoming.decryptionFailureReason;
    this.#options.logger.debug('A message cannot be decrypted yet', { room: roomId, reason });
    let said: Unreadable = first.undecryptable;
    session.awaited.wait(incoming, () => {
      if (incoming.isBeingDecrypted()) return false;
      const result = readResult(incoming);
      const isNews = !('undecryptable' in result) || result.undecryptable !== said;
      if ('undecryptable' in result) said = result.undecryptable;
      if (isNews) onMore(result);
      return !('undecryptable' in result);
    });
    if (reason === 'SENDER_IDENTITY_PREVIOUSLY_VERIFIED') {
      void this.#readAgain([incoming.getSender() ?? ''], session);
    }
    return first;
  }

  /** The SDK refuses a whole room because of one verified member with a new identity. */
  async #encryptFor(room: Room, event: MatrixEvent, { backend }: Session): Promise<void> {
    try {
      await backend.encryptEvent(event, room);
    } catch (error) {
      const members = room.getMembers().map(({ userId }) => userId);
      if (!(await acceptNewIdentities(members, { crypto: backend, logger: this.#options.logger }))) throw error;
      await backend.encryptEvent(event, room);
    }
  }

  /** What came from a device or an identity that was not trusted yet. */
  async #readAgain(senders: readonly string[], { awaited, backend }: Session): Promise<void> {
    const { logger } = this.#options;
    try {
      await acceptNewIdentities(senders, { crypto: backend, logger });
    } catch (error) {
      logger.warn('The identities of users could not be looked at', { users: senders, reason: errorText(error) });
    }
    for (const event of awaited.from(senders)) if (isOfUnsigned(event)) retryDecryption(event, backend);
  }

  observe(event: RoomEvent): void {
    this.#session?.verifications?.observe(event);
  }

  async encryptFile(data: Uint8Array): ReturnType<RoomCrypto['encryptFile']> {
    this.#ready('the room is encrypted');
    return encryptAttachment(data);
  }

  problem(): string | null {
    return this.#problem;
  }

  noteAnswer(address: string, ok: boolean): void {
    if (address.endsWith('/keys/query')) this.#deviceListsStale = !ok;
  }

  async detach(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    this.#deviceListsStale = false;
    if (session === null) return;
    session.end(notYet('The client was stopped'));
    await session.handle.close();
  }

  async #open(client: MatrixClient, storePath: string): Promise<Session | null> {
    const { storeFolder, keyPath, trust, verification: policy, clock, logger, onFatal, required } = this.#options;
    try {
      mkdirSync(storeFolder, { recursive: true, mode: 0o700 });
      const [sdk, { openCrypto }] = await Promise.all([loadSdk(), import('./open-crypto.ts')]);
      const handle = await openCrypto({ client, storePath, keyPath, logger, onFailure: onFatal });
      const crypto = client.getCrypto();
      if (crypto === undefined || !isBackend(crypto)) throw new Error('this version of matrix-js-sdk is not supported');
      const cryptoSdk = await import('matrix-js-sdk/lib/crypto-api/index.js');
      if (trust === 'cross-signed') crypto.setDeviceIsolationMode(new cryptoSdk.OnlySignedDevicesIsolationMode());
      const { promise: ended, reject: end } = Promise.withResolvers<never>();
      ended.catch(() => undefined); // only those who wait for it want to know
      const verifications =
        policy === undefined
          ? null
          : new Verifications({ client, backend: crypto, sdk: { ...sdk, ...cryptoSdk }, policy, clock, logger });
      const awaited = new AwaitedEvents(crypto.eventDecryptor, sdk.MatrixEventEvent.Decrypted);
      const session = { sdk, client, backend: crypto, handle, awaited, verifications, ended, end };
      client.on(cryptoSdk.CryptoEvent.DevicesUpdated, (senders) => this.#readAgain(senders, session));
      return session;
    } catch (error) {
      if (error instanceof RelayError && error.retry.kind !== 'never') throw error;
      const storeFailed = error instanceof RelayError && error.code.startsWith('CRYPTO_STORE');
      this.#refuse(`encryption could not be started: ${errorText(error)}`);
      if (storeFailed || required) onFatal(error);
      return null;
    }
  }

  /** In the background, once the client has synced: secret storage lives in account data. */
  #setUpIdentity({ sdk, client }: Session, api: MatrixApi, device: OwnDevice): void {
    const { identity, logger } = this.#options;
    const crypto = client.getCrypto();
    if (identity === null || crypto === undefined) return;
    const earlier = (masterKey: string) => this.#inTurn(() => earlierIdentity(masterKey, device, this.#options));
    const start = (state: string): void => {
      if (state !== sdk.SyncState.Syncing) return;
      client.off(sdk.ClientEvent.Sync, start);
      void setUpIdentity({ client, crypto, api, earlier, key: this.#secretStorageKey }, { ...identity, logger });
    };
    client.on(sdk.ClientEvent.Sync, start);
  }

  /** The SDK opens stores by a global name: one at a time. */
  #inTurn<Result>(open: () => Promise<Result>): Promise<Result> {
    const result = this.#opening.then(open);
    this.#opening = result.catch(() => undefined);
    return result;
  }

  #deviceTaken(deviceId: string): void {
    const words = `device ${deviceId} has encryption keys of another program (such as an older relay) or of a lost store`;
    if (this.#options.canReplaceDevice) {
      this.#options.logger.warn('A new device is made: the old one has keys that are not ours', { device: deviceId });
      throw new RelayError('CRYPTO_DEVICE_TAKEN', words, { retry: RETRY_LATER });
    }
    this.#refuse(`${words}, which cannot be used here: run \`mmrelay auth login\` to make a new device`);
  }

  #refuse(problem: string): void {
    this.#problem = problem;
    this.#options.logger.error('Encrypted rooms are left alone', { reason: problem });
  }

  #ready(what: string): Session {
    if (this.#session !== null) return this.#session;
    if (this.#problem === null) throw notYet('Encryption has not started yet');
    throw encryptionRefusal(what, this.#problem);
  }

  #needDeviceLists(session: Session): void {
    if (!this.#deviceListsStale) return;
    session.backend.onSyncCompleted({}); // asks again
    throw notYet('The devices of the room could not be asked for');
  }

  async #guarded(roomId: string, work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      if (error instanceof RelayError) throw error;
      // The Rust part has stopped in the middle of something, its state is unknown: only a new process helps.
      if (error instanceof Error && error.name === 'RuntimeError') this.#options.onFatal(error);
      throw new RelayError('CRYPTO_ENCRYPT_FAILED', `Could not encrypt for room ${roomId}: ${errorText(error)}`, {
        retry: RETRY_LATER,
        cause: error,
      });
    }
  }
}

function notYet(message: string): RelayError {
  return new RelayError('CRYPTO_NOT_READY', message, { retry: RETRY_LATER });
}

const BACKEND = ['encryptEvent', 'onSyncCompleted', 'onLiveEventFromSync', 'eventDecryptor'] as const;

function isBackend(crypto: object): crypto is CryptoBackend {
  return BACKEND.every((name) => name in crypto);
}

function readResult(event: MatrixEvent): Decrypted {
  const content = event.getClearContent() as JsonObject | null;
  if (event.isDecryptionFailure() || content === null)
    return { undecryptable: unreadable(event.decryptionFailureReason) };
  // A relation travels outside the ciphertext; clients may leave it out inside (client-server API, "Relationships and encryption").
  const relation = (event.getWireContent() as JsonObject)['m.relates_to'];
  const complete = isObject(relation) && content['m.relates_to'] === undefined;
  return { type: event.getType(), content: complete ? { ...content, 'm.relates_to': relation } : content };
}

const isOfUnsigned = (event: MatrixEvent): boolean => unreadable(event.decryptionFailureReason) === 'unsigned-sender';

/** As the SDK does when a key comes. The result reaches those who listen to the event. */
function retryDecryption(event: MatrixEvent, crypto: CryptoBackend): void {
  const backend = crypto as unknown as Parameters<MatrixEvent['attemptDecryption']>[0];
  void event.attemptDecryption(backend, { isRetry: true });
}

/** By the SDK's DecryptionFailureCode. */
function unreadable(code: string | null): Unreadable {
  switch (code) {
    case 'MEGOLM_KEY_WITHHELD':
      return 'refused';
    case 'MEGOLM_KEY_WITHHELD_FOR_UNVERIFIED_DEVICE':
      return 'refused-unverified';
    case 'UNKNOWN_SENDER_DEVICE':
    case 'UNSIGNED_SENDER_DEVICE':
    case 'SENDER_IDENTITY_PREVIOUSLY_VERIFIED':
      return 'unsigned-sender';
    default:
      return 'no-key';
  }
}
