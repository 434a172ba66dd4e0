/**
 * The rooms of the configuration: aliases behind ids, joins, invites. One per adapter. Holds what is resolved, which
 * rooms we are in, and when a failed room may be tried again; invariant: per room at most one request is under way,
 * and after a failure none before its pause is over, however often somebody asks.
 */

import { type BackoffRange, fullJitter } from '../../util/backoff.ts';
import type { Clock } from '../../util/clock.ts';
import type { JsonObject } from '../../util/json.ts';
import type { Logger } from '../../util/logger.ts';
import { errorText, RelayError } from '../../util/relay-error.ts';
import { type MatrixApi, path } from '../api.ts';
import { toRelayError } from '../errors.ts';
import { asObject, asString } from '../json-read.ts';
import type { SyncSections } from '../sync/sync-answer.ts';
import type { RoomUpgrades } from './room-upgrades.ts';

/** The room is closed to us: somebody has to do something first. */
const REFUSED: BackoffRange = { baseMs: 10_000, capMs: 600_000 };
/** The way to it is broken; when that is mended, messages should not wait for minutes more. */
const OUTAGE: BackoffRange = { baseMs: 1000, capMs: 60_000 };

/** An alias may be moved without a word to those who are in the old room. */
const LOOK_AGAIN_MS = 600_000;

interface Entry {
  /** What the name stands for; the room may have been upgraded since. */
  roomId: string | null;
  lookAgainMs: number;
  failures: number;
  notBeforeMs: number;
  error: RelayError | null;
  pending: Promise<string> | null;
}

export interface RoomsOptions {
  readonly mapped: readonly string[];
  readonly api: MatrixApi;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  /** Canonical and alternative aliases of a room we know. */
  readonly aliasesOf: (roomId: string) => readonly string[];
  /** Whether this user may have a direct chat with us. */
  readonly welcomes: (userId: string) => boolean;
  readonly upgrades: RoomUpgrades;
  /** An alias stands for another room now, which we have joined. */
  readonly onMoved: (alias: string, roomId: string) => void;
}

export class Rooms {
  readonly #options: RoomsOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #joined = new Set<string>();
  #mapped: readonly string[] = [];
  /** Left by somebody's decision: joined again only by an invite, a restart or a send. */
  readonly #left = new Set<string>();
  #joinedAsked = false;

  constructor(options: RoomsOptions) {
    this.#options = options;
    this.map(options.mapped);
  }

  /** Replaces the rooms of the configuration; new ones are joined by the next `tend`, none is left. */
  map(names: readonly string[]): void {
    const removed = this.#mapped.filter((name) => !names.includes(name));
    for (const name of removed) this.#entries.delete(name);
    for (const name of names) if (!this.#entries.has(name)) this.#entries.set(name, newEntry(name));
    this.#mapped = names;
  }

  isJoined(roomId: string): boolean {
    return this.#joined.has(roomId);
  }

  /** A room of our own making: we are in it before the next sync says so. */
  created(roomId: string): void {
    this.#joined.add(roomId);
    this.#left.delete(roomId);
  }

  /** Also true of a mapped room that was upgraded: what was said there last has to come over. */
  isMapped(roomId: string): boolean {
    if (this.#entries.has(roomId)) return true;
    for (const [name, entry] of this.#entries) {
      if (entry.roomId === roomId || this.#current(entry) === roomId) return true;
      if (entry.roomId === null && name.startsWith('#') && this.#isAlias(name, roomId)) return true;
    }
    return false;
  }

  /** @throws RelayError MATRIX_* ; a room that cannot be entered now comes with the pause that is left of its backoff */
  async resolve(idOrAlias: string): Promise<string> {
    const entry = this.#entries.get(idOrAlias) ?? newEntry(idOrAlias);
    const known = this.#current(entry);
    if (known !== null && this.#joined.has(known)) return known;
    if (!/^[!#]/.test(idOrAlias)) {
      throw new RelayError(
        'MATRIX_ROOM_INVALID',
        `${idOrAlias} is neither a room id (!...) nor an alias (#...:server)`,
      );
    }
    this.#entries.set(idOrAlias, entry);
    const waitMs = entry.notBeforeMs - this.#options.clock.monotonic();
    if (entry.error !== null && waitMs > 0) throw withPause(entry.error, waitMs);
    entry.pending ??= this.#enter(idOrAlias, entry).finally(() => {
      entry.pending = null;
    });
    return entry.pending;
  }

  /** Takes note of an answer; joins mapped rooms that invite us. */
  onSync(sections: SyncSections): void {
    for (const { roomId } of sections.joined) {
      this.#joined.add(roomId);
      this.#left.delete(roomId);
    }
    for (const { roomId } of sections.left) {
      this.#joined.delete(roomId);
      this.#left.add(roomId);
    }
    this.#options.upgrades.onSync(sections);
    for (const [roomId, state] of sections.invited) this.#onInvite(roomId, state);
    const isRenamed = sections.joined.some(({ state }) => state.some(({ type }) => type === 'm.room.canonical_alias'));
    if (isRenamed) for (const entry of this.#entries.values()) entry.lookAgainMs = 0;
  }

  /** Called after each sync: tries mapped rooms we are not in and whose pause is over. Never throws. */
  async tend(): Promise<void> {
    for (const name of this.#mapped) {
      const entry = this.#entries.get(name);
      const roomId = entry === undefined ? null : this.#current(entry);
      if (entry !== undefined && roomId !== null && this.#joined.has(roomId)) await this.#lookAgain(name, entry);
      else if (roomId === null || !this.#left.has(roomId)) await this.resolve(name).catch(() => undefined); // kept in the entry, shown by `problem`
    }
  }

  /** Mapped rooms we cannot get into; null when all is well. Why is in the error of `resolve`. */
  problem(): string | null {
    const shut = [...this.#mapped].filter((name) => (this.#entries.get(name)?.error ?? null) !== null);
    return shut.length === 0 ? null : `not joined: ${shut.join(', ')}`;
  }

  #current({ roomId }: Entry): string | null {
    return roomId === null ? null : this.#options.upgrades.follow(roomId);
  }

  /** Whether the alias stands for another room by now. The old one serves until we are in the new one. */
  async #lookAgain(name: string, entry: Entry): Promise<void> {
    const { clock, logger, upgrades, onMoved } = this.#options;
    if (!name.startsWith('#') || clock.monotonic() < entry.lookAgainMs) return;
    entry.lookAgainMs = clock.monotonic() + LOOK_AGAIN_MS;
    try {
      const roomId = await this.#lookUp(name);
      const current = upgrades.follow(roomId);
      if (current === this.#current(entry)) return;
      await this.#join(current === roomId ? name : current, current);
      entry.roomId = roomId;
      logger.warn('An alias stands for another room now', { room: name, roomId: current });
      onMoved(name, current);
    } catch (error) {
      const reason = toRelayError(error, `join ${name}`).message;
      logger.info('The room behind an alias could not be looked up again', { room: name, reason });
    }
  }

  /** By alias where there is one, so that the server knows whom to ask for the way in. */
  async #join(name: string, roomId: string): Promise<void> {
    const { api, logger, upgrades } = this.#options;
    if (this.#joined.has(roomId)) return;
    await api.request('POST', path`/join/${name}`, { body: {}, query: upgrades.via(roomId) });
    this.#joined.add(roomId);
    this.#left.delete(roomId);
    logger.info('Joined a room', { room: name, roomId });
  }

  async #enter(name: string, entry: Entry): Promise<string> {
    const { clock, logger, upgrades } = this.#options;
    try {
      const named = entry.roomId ?? (await this.#lookUp(name));
      const roomId = upgrades.follow(named);
      entry.roomId = named;
      await this.#askJoined();
      await this.#join(roomId === named ? name : roomId, roomId);
      Object.assign(entry, { failures: 0, notBeforeMs: 0, error: null });
      return roomId;
    } catch (error) {
      const failure = toRelayError(error, `join ${name}`);
      // Says nothing about this room; the sync loop looks after it.
      if (failure.code === 'MATRIX_NOT_READY' || failure.code === 'MATRIX_LOGGED_OUT') throw failure;
      const range = failure.code === 'MATRIX_UNAVAILABLE' ? OUTAGE : REFUSED;
      const atLeastMs = failure.retry.kind === 'after' ? failure.retry.ms : 0;
      const pauseMs = Math.max(atLeastMs, fullJitter(entry.failures, range, this.#options.random()));
      const roomId = failure.code === 'MATRIX_NOT_FOUND' && name.startsWith('#') ? null : entry.roomId;
      const failures = entry.failures + 1;
      Object.assign(entry, { roomId, failures, notBeforeMs: clock.monotonic() + pauseMs, error: failure });
      logger.debug('A room cannot be joined', { room: name, reason: failure.message, retryInMs: pauseMs });
      throw withPause(failure, pauseMs);
    }
  }

  /** Before the first sync we know no room: one question spares a join, which servers limit, for each of them. */
  async #askJoined(): Promise<void> {
    if (this.#joinedAsked || this.#joined.size > 0) return;
    const answer = await this.#options.api.request('GET', path`/joined_rooms`);
    const rooms = Array.isArray(answer.joined_rooms) ? answer.joined_rooms : [];
    for (const roomId of rooms) if (typeof roomId === 'string') this.#joined.add(roomId);
    this.#joinedAsked = true;
  }

  async #lookUp(name: string): Promise<string> {
    if (name.startsWith('!')) return name;
    const roomId = asString((await this.#options.api.request('GET', path`/directory/room/${name}`)).room_id);
    if (roomId !== null) return roomId;
    throw new RelayError('MATRIX_NOT_FOUND', `The homeserver knows no room behind ${name}`);
  }

  #onInvite(roomId: string, state: readonly JsonObject[]): void {
    const [name, entry] =
      [...this.#entries].find(([key, known]) => key === roomId || this.#current(known) === roomId) ?? [];
    if (name !== undefined && entry !== undefined) this.#followInvite(roomId, entry);
    else if (this.#lookUpAgain(state.flatMap(aliasesIn))) return;
    else if (this.#isWelcome(state)) {
      void this.#join(roomId, roomId).catch((error: unknown) => {
        this.#options.logger.warn('A direct chat cannot be joined', { room: roomId, reason: errorText(error) });
      });
    } else this.#options.logger.info('Ignored an invite to a room that is not configured', { room: roomId });
  }

  #followInvite(roomId: string, entry: Entry): void {
    if (entry.pending !== null) return;
    Object.assign(entry, { roomId, notBeforeMs: 0 });
    this.#joined.delete(roomId);
    this.#left.delete(roomId);
    entry.pending = this.#enter(roomId, entry).finally(() => {
      entry.pending = null;
    });
    entry.pending.catch(() => undefined); // kept in the entry, shown by `problem`
  }

  /**
   * Anybody can write an alias of ours into an invite to a room of theirs: where it leads, only the directory says, which
   * the next `tend` asks.
   * @returns whether one of these is ours
   */
  #lookUpAgain(aliases: readonly string[]): boolean {
    const entries = aliases.map((alias) => this.#entries.get(alias)).filter((entry) => entry !== undefined);
    for (const entry of entries) Object.assign(entry, { notBeforeMs: 0, lookAgainMs: 0 });
    return entries.length > 0;
  }

  /** What a far server adds to its invite is not checked by ours: with two inviters, who knows which one it was. */
  #isWelcome(state: readonly JsonObject[]): boolean {
    const invites = state.filter(({ content }) => asObject(content).membership === 'invite');
    const isWelcome = ({ sender, content }: JsonObject): boolean =>
      asObject(content).is_direct === true && this.#options.welcomes(asString(sender) ?? '');
    return invites.length > 0 && invites.every(isWelcome);
  }

  #isAlias(alias: string, roomId: string): boolean {
    return this.#options.aliasesOf(roomId).includes(alias);
  }
}

/** Aliases that a state event names: m.room.canonical_alias, and the m.room.aliases of old servers. */
export function aliasesIn(event: JsonObject): readonly string[] {
  const content = asObject(event.content);
  const lists = [content.alt_aliases, content.aliases].flatMap((list) => (Array.isArray(list) ? list : []));
  return [content.alias, ...lists].filter((alias) => typeof alias === 'string');
}

function newEntry(name: string): Entry {
  const roomId = name.startsWith('!') ? name : null;
  return { roomId, lookAgainMs: 0, failures: 0, notBeforeMs: 0, error: null, pending: null };
}

/** Not `never`: an invite or a change of the room's rules mends it. */
function withPause(error: RelayError, ms: number): RelayError {
  return new RelayError(error.code, error.message, {
    retry: { kind: 'after', ms: Math.max(ms, 1) },
    userText: error.userText ?? 'the relay is not in this Matrix room',
    cause: error.cause,
  });
}
