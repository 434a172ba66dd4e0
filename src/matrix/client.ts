/**
 * The Matrix adapter. One per daemon: puts the account, the SDK's picture of the rooms, the sync loop and the sender
 * together behind MatrixPort. Holds the state that health checks see.
 */

import type {
  MatrixPort,
  MatrixSink,
  MatrixState,
  MatrixStatus,
  NewRoom,
  RoomEvent,
  RoomFacts,
} from '../relay/ports.ts';
import type { Clock } from '../util/clock.ts';
import type { Logger } from '../util/logger.ts';
import { errorText, RETRY_LATER, RelayError } from '../util/relay-error.ts';
import { createApi } from './api.ts';
import { Account, type AccountOptions } from './auth/account.ts';
import { type RoomCrypto, refuseEncryption } from './crypto/room-crypto.ts';
import { createHttp } from './http.ts';
import { createRoom, setRoomState } from './rooms/room-admin.ts';
import { memberName, powerLevelOf, roomAliases, roomFacts } from './rooms/room-facts.ts';
import { forgetfulMemory, type RoomMemory } from './rooms/room-memory.ts';
import { RoomUpgrades } from './rooms/room-upgrades.ts';
import { Rooms } from './rooms/rooms.ts';
import { SdkModel } from './sdk-model.ts';
import { type EncryptedRooms, Sender } from './sender.ts';
import { type AssembleContext, toRoomEvent } from './sync/assemble.ts';
import { SyncLoop } from './sync/sync-loop.ts';

export interface MatrixOptions extends AccountOptions {
  /** Room ids and aliases of the configuration. */
  readonly rooms: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
  /** Values in [0, 1). */
  readonly random: () => number;
  /** Without one, encrypted rooms are left alone. */
  readonly crypto?: RoomCrypto;
  /** Whose invitation to a direct chat is taken, beside those to the rooms of the configuration; default nobody's. */
  readonly welcomes?: (userId: string) => boolean;
  /** Durable memory of encrypted rooms; without one it lasts as long as the process. */
  readonly encryptedRooms?: EncryptedRooms;
  /** Durable memory of upgraded rooms; without one it lasts as long as the process. */
  readonly upgradedRooms?: RoomMemory;
  /** Durable memory of the device that sent last into each room; without one it lasts as long as the process. */
  readonly sentBy?: RoomMemory;
  /** Back-fill ends at an event the relay has; without it, at the sync token. */
  readonly isKnownEvent?: (eventId: string) => boolean;
  /** Rooms that are read though no configuration names them. */
  readonly isDirectRoom?: (roomId: string) => boolean;
  /** Durable memory of the rooms whose events the relay has taken; without one, each of our joins is an arrival. */
  readonly wasInside?: (roomId: string) => boolean;
  /** Events older than this are not fetched by back-fill (milliseconds, default a day). */
  readonly maxBackfillAgeMs?: number;
  readonly maxBackfillEvents?: number;
  /** Default 25 s. */
  readonly requestTimeoutMs?: number;
  /** How long the server may hold a /sync; default 30 s. */
  readonly pollTimeoutMs?: number;
  /** Hears the homeserver's wall time with each of its answers. */
  readonly onServerTime?: (nowMs: number) => void;
}

/** MatrixPort, and what its builder and tests ask for. */
export interface MatrixAdapter extends MatrixPort {
  /** Replaces the rooms of the configuration; no room is left. */
  mapRooms(rooms: readonly string[]): void;
  currentRoom(roomId: string): string;
  /** Events held by the SDK's timelines: 0 by design. */
  retainedEvents(): number;
}

const REQUEST_TIMEOUT_MS = 25_000;
const LEARNED_RETRY_MS = 5_000;
const POLL_TIMEOUT_MS = 30_000;
const BACKFILL_AGE_MS = 86_400_000;
const BACKFILL_EVENTS = 10_000;

/** Builds the adapter; nothing happens before `start`. */
export function createMatrix(options: MatrixOptions): MatrixAdapter {
  return new MatrixClientAdapter(options);
}

class MatrixClientAdapter implements MatrixAdapter {
  readonly #options: MatrixOptions;
  readonly #abort = new AbortController();
  readonly #account: Account;
  readonly #model: SdkModel;
  readonly #rooms: Rooms;
  readonly #upgrades: RoomUpgrades;
  readonly #sender: Sender;
  readonly #api: ReturnType<typeof createApi>;
  readonly #crypto: RoomCrypto;
  #awaitingKeys: readonly RoomEvent[] = [];
  #loop: SyncLoop | null = null;
  #running: Promise<void> = Promise.resolve();
  #sink: MatrixSink | null = null;
  #state: MatrixState;

  constructor(options: MatrixOptions) {
    const { clock, logger, random } = options;
    const timeoutMs = options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS;
    const crypto = options.crypto ?? refuseEncryption;
    this.#crypto = crypto;
    const http = createHttp(clock, options.onServerTime);
    this.#options = options;
    this.#state = { status: 'idle', sinceMs: clock.now(), reason: null, attempts: 0, lastSyncMs: 0 };
    const { signal } = this.#abort;
    this.#account = new Account(options, { http, timeoutMs, clock, signal }, logger);
    this.#api = createApi({ tokens: this.#account, http, timeoutMs, signal });
    this.#model = new SdkModel({ crypto, api: this.#api, logger, timeoutMs, tokens: this.#account });
    const aliasesOf = (roomId: string): readonly string[] => roomAliases(this.#model.room(roomId));
    const encryptedRooms = options.encryptedRooms ?? new Set<string>();
    this.#upgrades = new RoomUpgrades(guardedUpgrades(encryptedRooms, options.upgradedRooms), logger);
    this.#rooms = new Rooms({
      mapped: options.rooms,
      api: this.#api,
      clock,
      random,
      logger,
      aliasesOf,
      welcomes: options.welcomes ?? (() => false),
      upgrades: this.#upgrades,
      onMoved: (alias, roomId) => this.#sink?.onRoomMoved?.(alias, roomId),
    });
    this.#sender = new Sender({
      api: this.#api,
      crypto,
      encryptedRooms,
      sentBy: options.sentBy ?? forgetfulMemory(),
      account: () => this.#account.current(),
      enter: (roomId) => this.#enter(roomId),
      syncedEncryption: (roomId) => this.#model.room(roomId)?.hasEncryptionStateEvent() === true,
    });
  }

  start(sink: MatrixSink, sinceToken: string | null): void {
    if (this.#loop !== null) throw new Error('start is called once');
    this.#sink = sink;
    const { clock, random, logger } = this.#options;
    this.#loop = new SyncLoop(
      {
        account: this.#account,
        api: this.#api,
        model: this.#model,
        rooms: this.#rooms,
        clock,
        random,
        logger,
        signal: this.#abort.signal,
        pollTimeoutMs: this.#options.pollTimeoutMs ?? POLL_TIMEOUT_MS,
        requestTimeoutMs: this.#options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
        onStatus: (status, reason, attempts) => this.#setState(status, reason, attempts),
        onSynced: () => this.#onSynced(),
        assembly: (token, lost) => this.#assembly(token, lost),
      },
      sinceToken,
    );
    this.#running = this.#loop.run(sink);
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#model.stop();
    await this.#running;
    await this.#model.stop(); // a client that was being made while we stopped
    this.#setState('stopped', null, 0);
    this.#sink = null;
  }

  state(): MatrixState {
    const problem = this.#state.status === 'syncing' ? (this.#rooms.problem() ?? this.#cryptoProblem()) : null;
    return problem === null ? this.#state : { ...this.#state, reason: problem };
  }

  userId(): string | null {
    return this.#account.userId();
  }

  resolveRoom(idOrAlias: string): Promise<string> {
    return this.#rooms.resolve(idOrAlias);
  }

  mapRooms(rooms: readonly string[]): void {
    this.#rooms.map(rooms);
  }

  currentRoom(roomId: string): string {
    return this.#upgrades.follow(roomId);
  }

  room(roomId: string): RoomFacts | null {
    const room = this.#model.room(roomId);
    if (room === null || !this.#rooms.isJoined(roomId)) return null;
    const facts = roomFacts(room);
    return this.#options.encryptedRooms?.has(roomId) ? { ...facts, encrypted: true } : facts;
  }

  powerLevel(roomId: string, userId: string): number | null {
    const room = this.#model.room(roomId);
    return room === null || !this.#rooms.isJoined(roomId) ? null : powerLevelOf(room, userId);
  }

  memberName(roomId: string, userId: string): string | null {
    return memberName(this.#model.room(roomId), userId);
  }

  send(...args: Parameters<MatrixPort['send']>): ReturnType<MatrixPort['send']> {
    return this.#sender.send(...args);
  }

  async createRoom(room: NewRoom): Promise<string> {
    const server = (this.#account.userId() ?? '').split(':').slice(1).join(':');
    const roomId = await createRoom(this.#api, room, server);
    this.#rooms.created(roomId);
    if (room.encrypted) this.#options.encryptedRooms?.add(roomId);
    return roomId;
  }

  async setState(state: Parameters<MatrixPort['setState']>[0]): ReturnType<MatrixPort['setState']> {
    await this.#enter(state.roomId);
    return { eventId: await setRoomState(this.#api, state) };
  }

  canEncrypt(): boolean {
    return this.#options.crypto !== undefined && this.#crypto.problem() === null;
  }

  retainedEvents(): number {
    return this.#model.timelineEvents();
  }

  async #enter(roomId: string): Promise<void> {
    if (this.#rooms.isJoined(roomId)) return;
    if (this.#rooms.isMapped(roomId)) {
      await this.#rooms.resolve(roomId);
      return;
    }
    throw new RelayError('MATRIX_ROOM_UNKNOWN', `The relay is not in room ${roomId}`, {
      retry: RETRY_LATER,
      userText: 'the relay is not in this Matrix room',
    });
  }

  /** Worth telling only where a room of ours is encrypted. */
  #cryptoProblem(): string | null {
    const problem = this.#crypto.problem();
    if (problem === null) return null;
    const rooms = this.#model.encryptedRoomIds().filter((roomId) => this.#rooms.isMapped(roomId));
    return rooms.length === 0 ? null : `encrypted rooms are left alone: ${problem}`;
  }

  #onSynced(): void {
    for (const roomId of this.#model.encryptedRoomIds()) this.#options.encryptedRooms?.add(roomId);
    this.#setState('syncing', null, 0, this.#options.clock.now());
    void this.#retryDecryption();
    void this.#rooms.tend().catch((error: unknown) => {
      this.#options.logger.error('Joining rooms failed', { reason: errorText(error) });
    });
  }

  awaitKeys(events: readonly RoomEvent[]): void {
    this.#awaitingKeys = events;
  }

  /** After a start: what an earlier run could not read waits in the SDK's list again, or can be read by now. */
  async #retryDecryption(): Promise<void> {
    const events = this.#awaitingKeys;
    this.#awaitingKeys = [];
    for (const event of events) {
      const { roomId, eventId, sender, type, content, timestampMs, senderName } = event;
      const raw = { event_id: eventId, sender, type, content, origin_server_ts: timestampMs };
      const onLearned = (late: RoomEvent): void => this.#learned(late);
      const again = await toRoomEvent(roomId, raw, { name: senderName, crypto: this.#crypto, onLearned });
      if (again !== null && again.undecryptable !== event.undecryptable) onLearned(again);
    }
  }

  /** Until the sink has taken it: nobody else would say it again in this run. */
  #learned(event: RoomEvent): void {
    const { clock, logger } = this.#options;
    try {
      this.#sink?.onLearned(event);
    } catch (error) {
      logger.error('An event whose key has come could not be stored, trying again', { reason: errorText(error) });
      clock.after(LEARNED_RETRY_MS, () => this.#learned(event), { background: true });
    }
  }

  #assembly(sinceToken: string | null, lost: boolean): AssembleContext {
    const { clock, logger } = this.#options;
    return {
      api: this.#api,
      crypto: this.#crypto,
      logger,
      userId: this.#account.userId() ?? '',
      sinceToken,
      lost,
      limits: {
        oldestMs: clock.now() - (this.#options.maxBackfillAgeMs ?? BACKFILL_AGE_MS),
        maxEvents: this.#options.maxBackfillEvents ?? BACKFILL_EVENTS,
        isKnown: this.#options.isKnownEvent ?? (() => false),
      },
      memberName: (roomId, userId) => memberName(this.#model.room(roomId), userId),
      isRead: (roomId) => this.#rooms.isMapped(roomId) || (this.#options.isDirectRoom?.(roomId) ?? false),
      wasInside: this.#options.wasInside ?? (() => false),
      onLearned: (event) => this.#learned(event),
    };
  }

  #setState(status: MatrixStatus, reason: string | null, attempts: number, syncedMs?: number): void {
    const old = this.#state;
    const sinceMs = old.status === status ? old.sinceMs : this.#options.clock.now();
    this.#state = { status, sinceMs, reason, attempts, lastSyncMs: syncedMs ?? old.lastSyncMs };
    const changed = old.status !== status || old.reason !== reason || old.attempts !== attempts;
    if (changed) this.#sink?.onState(this.state());
  }
}

/** What was encrypted stays so: an upgrade must not bring plaintext back. */
function guardedUpgrades(encryptedRooms: EncryptedRooms, memory: RoomMemory = forgetfulMemory()): RoomMemory {
  return {
    get: (roomId) => memory.get(roomId),
    set: (roomId, successor) => {
      if (encryptedRooms.has(roomId)) encryptedRooms.add(successor);
      memory.set(roomId, successor);
    },
  };
}
