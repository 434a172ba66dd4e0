/**
 * The Matrix SDK, as a model of rooms and the host of encryption. One per adapter; holds one SDK client.
 *
 * Why our own sync loop and not the SDK's: its loop moves the token before it processes an answer, logs and skips what
 * fails on the way (with it the room keys in that answer), dies for good when its store throws, polls /versions every
 * few seconds in an outage, and keeps every event. Here the loop (sync-loop.ts) is ours, and the SDK runs against a
 * homeserver that never fails: its fetch function is ours, answers its start-up questions at once, and hands it one
 * prepared /sync answer after the other. Its next /sync request says that the last answer is processed. Only public
 * SDK interfaces are used. Invariant: no message is ever fed (sync-answer.ts), so its timelines stay empty.
 */

import type { MatrixClient, Room } from 'matrix-js-sdk';
import type { JsonObject, JsonValue } from '../util/json.ts';
import type { Logger } from '../util/logger.ts';
import type { MatrixApi, TokenSource } from './api.ts';
import type { ActiveCredentials } from './auth/account.ts';
import type { RoomCrypto } from './crypto/room-crypto.ts';
import { isLoggedOut, keepsDevice } from './errors.ts';
import { HttpFailure } from './http.ts';
import { asObject } from './json-read.ts';
import { loadSdk, sdkLogger } from './sdk-logger.ts';

export interface SdkModelOptions {
  readonly crypto: RoomCrypto;
  readonly api: MatrixApi;
  readonly logger: Logger;
  readonly timeoutMs: number;
  /** The token to use now: the SDK's own copy ages when we renew it or log in again. */
  readonly tokens: TokenSource;
}

interface SyncRequest {
  readonly resolve: (response: Response) => void;
  readonly reject: (error: Error) => void;
}

export class SdkModel {
  readonly #options: SdkModelOptions;
  #client: MatrixClient | null = null;
  #identity = '';
  #request: SyncRequest | null = null;
  #requested: (() => void) | null = null;
  #processed: { readonly resolve: () => void; readonly reject: (error: Error) => void } | null = null;
  #failure: Error | null = null;

  constructor(options: SdkModelOptions) {
    this.#options = options;
  }

  /** Makes the SDK client of this user and device, once. @returns true when it is a new one, which knows no room yet */
  async use(credentials: ActiveCredentials): Promise<boolean> {
    const identity = `${credentials.homeserver} ${credentials.userId} ${credentials.deviceId}`;
    if (this.#client !== null && identity === this.#identity) return false;
    await this.stop();
    // Loaded when first needed: it is half of our start-up time, and commands such as `doctor` do without.
    const sdk = await loadSdk();
    const logger = sdkLogger(this.#options.logger);
    const client = sdk.createClient({
      baseUrl: credentials.homeserver,
      userId: credentials.userId,
      accessToken: credentials.accessToken,
      ...(credentials.deviceId === null ? {} : { deviceId: credentials.deviceId }),
      store: new sdk.MemoryStore(),
      fetchFn: (input, init) => this.#fetch(String(input), init ?? {}, identity),
      localTimeoutMs: this.#options.timeoutMs,
      logger,
      cryptoCallbacks: this.#options.crypto.callbacks(),
      timelineSupport: false,
      disableVoip: true,
      verificationMethods: ['m.sas.v1'],
    });
    client.on(sdk.ClientEvent.SyncUnexpectedError, (error) => {
      this.#failure = error;
    });
    await this.#options.crypto.attach(client, this.#options.api);
    this.#client = client;
    this.#identity = identity;
    await client.startClient({ lazyLoadMembers: true, disablePresence: true, initialSyncLimit: 1 });
    return true;
  }

  /** Feeds one answer and waits until the SDK is done with it. @throws what went wrong in its processing (feed it again) */
  async process(answer: JsonObject): Promise<void> {
    const client = this.#client;
    if (client === null) throw new Error('the SDK client is not running');
    const request = await this.#nextRequest(client);
    this.#failure = null;
    const processed = new Promise<void>((resolve, reject) => {
      this.#processed = { resolve, reject };
    });
    request.resolve(json(answer));
    await processed;
  }

  room(roomId: string): Room | null {
    return this.#client?.getRoom(roomId) ?? null;
  }

  encryptedRoomIds(): readonly string[] {
    const rooms = this.#client?.getRooms() ?? [];
    return rooms.filter((room) => room.hasEncryptionStateEvent()).map((room) => room.roomId);
  }

  /** A room we left: its state goes. */
  forget(roomId: string): void {
    this.#client?.store.removeRoom(roomId);
  }

  /** Number of events that the SDK holds in timelines: 0 by design, asked by tests and metrics. */
  timelineEvents(): number {
    const rooms = this.#client?.getRooms() ?? [];
    return rooms.reduce((sum, room) => sum + room.getLiveTimeline().getEvents().length, 0);
  }

  async stop(): Promise<void> {
    const client = this.#client;
    this.#client = null;
    this.#identity = '';
    this.#request = null;
    if (client === null) return;
    client.stopClient();
    client.removeAllListeners();
    const stopped = new Error('the SDK client was stopped');
    this.#processed?.reject(stopped);
    this.#requested?.();
    this.#processed = null;
    await this.#options.crypto.detach();
  }

  async #nextRequest(client: MatrixClient): Promise<SyncRequest> {
    while (this.#request === null) {
      const arrived = new Promise<void>((resolve) => {
        this.#requested = resolve;
      });
      // After 80 s without an answer the SDK gives a request up and pauses for some seconds: not when we have news.
      client.retryImmediately();
      await arrived;
      if (this.#client !== client) throw new Error('the SDK client was stopped');
    }
    const request = this.#request;
    this.#request = null;
    return request;
  }

  async #fetch(address: string, init: RequestInit, identity: string): Promise<Response> {
    const { pathname } = new URL(address);
    if (pathname.endsWith('/client/v3/sync')) return this.#onSyncRequest(init.signal ?? null, identity);
    if (pathname.endsWith('/client/versions')) return json(VERSIONS);
    if (pathname.includes('/pushrules/')) return json({ global: {} });
    if (init.method === 'POST' && pathname.endsWith('/filter')) return json({ filter_id: '0' });
    if (pathname.endsWith('/capabilities')) return json({ capabilities: {} });
    if (pathname.includes('/rtc/')) return json({ errcode: 'M_NOT_FOUND', error: 'not used' }, 404);
    return this.#passOn(address, init);
  }

  /** Of a client that was stopped it stays open for ever: nobody listens any more, not even to a rejection. */
  #onSyncRequest(signal: AbortSignal | null, identity: string): Promise<Response> {
    if (identity !== this.#identity) return new Promise(() => undefined);
    const done = this.#processed;
    this.#processed = null;
    if (this.#failure === null) done?.resolve();
    else done?.reject(this.#failure);
    return new Promise<Response>((resolve, reject) => {
      const request: SyncRequest = { resolve, reject };
      const giveUp = (): void => {
        if (this.#request !== request) return;
        this.#request = null;
        reject(new DOMException('the request was given up', 'AbortError'));
      };
      this.#request = request;
      signal?.addEventListener('abort', giveUp, { once: true });
      this.#requested?.();
    });
  }

  /** Members and keys. The body is read here, so that the SDK's time limit covers it too. */
  async #passOn(address: string, init: RequestInit): Promise<Response> {
    const { crypto } = this.#options;
    const { pathname } = new URL(address);
    try {
      const response = await this.#ask(address, init);
      crypto.noteAnswer(pathname, response.ok);
      return response;
    } catch (error) {
      crypto.noteAnswer(pathname, false);
      throw error;
    }
  }

  async #ask(address: string, init: RequestInit): Promise<Response> {
    const { tokens } = this.#options;
    const headers = new Headers(init.headers);
    const session = headers.has('Authorization') ? await tokens.fresh() : null;
    if (session === null) return this.#fetchWhole(address, { ...init, headers });
    const token = session.accessToken;
    headers.set('Authorization', `Bearer ${token}`);
    const response = await this.#fetchWhole(address, { ...init, headers });
    const refusal = response.status === 401 ? await failureOf(response) : null;
    // A 401 may also ask for a password.
    if (!isLoggedOut(refusal) || !(await tokens.replace(token, { kept: keepsDevice(refusal) }))) return response;
    headers.set('Authorization', `Bearer ${(await tokens.fresh())?.accessToken ?? token}`);
    return this.#fetchWhole(address, { ...init, headers });
  }

  async #fetchWhole(address: string, init: RequestInit): Promise<Response> {
    const response = await fetch(address, init);
    const body = await response.arrayBuffer();
    this.#options.logger.debug('The SDK asked the homeserver', { status: response.status });
    const { status, statusText, headers } = response;
    return new Response(body.byteLength === 0 ? null : body, { status, statusText, headers });
  }
}

async function failureOf(response: Response): Promise<HttpFailure> {
  // A proxy's page is no JSON, and no answer of a homeserver.
  const body = asObject(
    (await response
      .clone()
      .json()
      .catch(() => null)) as JsonValue,
  );
  return new HttpFailure('status', `HTTP ${response.status}`, { status: response.status, retryAfterMs: null, body });
}

const VERSIONS: JsonObject = { versions: ['v1.1', 'v1.4', 'v1.6', 'v1.11'], unstable_features: {} };

function json(body: JsonObject, status = 200): Response {
  return new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json' } });
}
