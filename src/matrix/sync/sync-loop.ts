/**
 * The sync loop. One per adapter; holds the token and the pace. Invariants: the token moves only after the sink has
 * taken the batch of its answer; between two failed requests there is a pause with full jitter (1..60 s, longer while
 * logged out), whatever fails; an answer that comes at once and is empty is followed by a pause too.
 */

import type { MatrixSink, MatrixStatus, SyncBatch } from '../../relay/ports.ts';
import { type BackoffRange, fullJitter } from '../../util/backoff.ts';
import { type Clock, sleep } from '../../util/clock.ts';
import type { JsonObject } from '../../util/json.ts';
import type { Logger } from '../../util/logger.ts';
import { errorText, RelayError } from '../../util/relay-error.ts';
import type { MatrixApi } from '../api.ts';
import { path } from '../api.ts';
import type { Account } from '../auth/account.ts';
import { isLoggedOut, toRelayError } from '../errors.ts';
import { HttpFailure } from '../http.ts';
import { asString } from '../json-read.ts';
import type { Rooms } from '../rooms/rooms.ts';
import type { SdkModel } from '../sdk-model.ts';
import type { AssembleContext } from './assemble.ts';
import { assemble } from './assemble.ts';
import { readSections, roomsWithoutState, type SyncSections, withoutMessages, withStateOf } from './sync-answer.ts';

const BACKOFF: BackoffRange = { baseMs: 1000, capMs: 60_000 };
/** The token may come back to life (a server restored, a proxy mended), so we look again, rarely. */
const LOGGED_OUT_BACKOFF: BackoffRange = { baseMs: 60_000, capMs: 900_000 };
const QUICK_ANSWER_MS = 500;

export interface SyncLoopOptions {
  readonly account: Account;
  readonly api: MatrixApi;
  readonly model: SdkModel;
  readonly rooms: Rooms;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly pollTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly onStatus: (status: MatrixStatus, reason: string | null, attempts: number) => void;
  /** Called after each complete sync. */
  readonly onSynced: () => void;
  readonly assembly: (sinceToken: string | null, lost: boolean) => AssembleContext;
}

export class SyncLoop {
  readonly #options: SyncLoopOptions;
  #token: string | null;
  #attempts = 0;
  #quickAnswers = 0;
  #needState = true;
  /** The token was refused: the next answer begins anew, and what came since has to be found by other means. */
  #lost = false;
  /** The last answer was too large: the next one is asked to hold less, and gaps are filled in pieces. */
  #small = false;

  constructor(options: SyncLoopOptions, sinceToken: string | null) {
    this.#options = options;
    this.#token = sinceToken;
  }

  /** Runs until the signal aborts. Never throws. */
  async run(sink: MatrixSink): Promise<void> {
    const { signal, onStatus } = this.#options;
    onStatus('connecting', null, 0);
    while (!signal.aborted) {
      try {
        await this.#round(sink);
        this.#attempts = 0;
      } catch (error) {
        if (!signal.aborted) await this.#recover(error);
      }
    }
  }

  async #round(sink: MatrixSink): Promise<void> {
    const { model, rooms, signal, clock } = this.#options;
    if (await this.#useAccount()) this.#needState = true;
    const startedMs = clock.monotonic();
    const longPoll = this.#attempts === 0 && !this.#needState;
    const polled = await this.#poll(longPoll);
    const nextToken = asString(polled.next_batch);
    if (nextToken === null) throw new HttpFailure('bad-answer', 'the /sync answer holds no next_batch');
    const answer = this.#needState && this.#token !== null ? await this.#withAllState(polled) : polled;
    const sections = readSections(answer);
    await model.process(withoutMessages(answer, sections));
    rooms.onSync(sections);
    const news = await assemble(sections, this.#options.assembly(this.#token, this.#lost));
    await this.#deliver(sink, { ...news, nextToken, initial: this.#token === null && !this.#lost });
    if (signal.aborted) return;
    for (const { roomId } of sections.left) model.forget(roomId);
    this.#token = nextToken;
    this.#needState = false;
    this.#lost = false;
    this.#small = false;
    this.#options.onSynced();
    await this.#holdQuickAnswers(sections, longPoll, clock.monotonic() - startedMs);
  }

  async #useAccount(): Promise<boolean> {
    const { account, model, signal } = this.#options;
    try {
      return await model.use(await account.ensure(signal));
    } catch (error) {
      if (!(error instanceof RelayError) || error.code !== 'CRYPTO_DEVICE_TAKEN') throw error;
      account.leaveDevice();
      return await model.use(await account.ensure(signal));
    }
  }

  async #poll(longPoll: boolean): Promise<JsonObject> {
    const { api, pollTimeoutMs, requestTimeoutMs } = this.#options;
    const waitMs = longPoll ? pollTimeoutMs : 0;
    const query = {
      filter: this.#small ? SMALL_FILTER : this.#token === null ? INITIAL_FILTER : FILTER,
      timeout: String(waitMs),
      set_presence: 'offline',
      ...(this.#token === null ? {} : { since: this.#token }),
      // The rooms live in memory, so each start asks for their state again; the timeline still goes by `since`.
      ...(this.#needState && this.#token !== null ? { full_state: 'true' } : {}),
    };
    const timeoutMs = this.#needState ? this.#firstTimeoutMs() : waitMs + requestTimeoutMs;
    return api.request('GET', path`/sync`, { query, timeoutMs });
  }

  /** An answer with all state may be large and slow: servers compute it for minutes. */
  #firstTimeoutMs(): number {
    return 4 * this.#options.requestTimeoutMs;
  }

  /**
   * Homeservers of the Conduit family bring no state of quiet rooms, though we ask for all of it; without a token they
   * do. Of that answer we take the state alone: it moves no token, so nothing is lost by it.
   */
  async #withAllState(answer: JsonObject): Promise<JsonObject> {
    const { api } = this.#options;
    const { joined_rooms: joined } = await api.request('GET', path`/joined_rooms`);
    const rooms = Array.isArray(joined) ? joined.filter((roomId) => typeof roomId === 'string') : [];
    const missing = roomsWithoutState(answer, rooms);
    if (missing.length === 0) return answer;
    const query = { filter: SMALL_FILTER, timeout: '0', set_presence: 'offline' };
    const anew = await api.request('GET', path`/sync`, { query, timeoutMs: this.#firstTimeoutMs() });
    return withStateOf(answer, anew, missing);
  }

  /** Until the sink has taken it: the same batch, however long that takes. */
  async #deliver(sink: MatrixSink, batch: SyncBatch): Promise<void> {
    const { signal, clock, random, logger, onStatus } = this.#options;
    for (let failures = 0; !signal.aborted; failures += 1) {
      try {
        sink.onSync(batch);
        return;
      } catch (error) {
        const reason = `events of the homeserver could not be stored: ${errorText(error)}`;
        const waitMs = fullJitter(failures, BACKOFF, random());
        logger.error('Events of the homeserver could not be stored, trying again', { reason, retryInMs: waitMs });
        onStatus('backing-off', reason, failures + 1);
        await sleep(clock, waitMs, signal);
      }
    }
  }

  async #recover(error: unknown): Promise<void> {
    const { account, clock, random, logger, signal, onStatus } = this.#options;
    this.#attempts += 1;
    const failure = toRelayError(error, isLoggedOut(error) ? 'stay logged in' : 'reach the homeserver');
    const loggedOut = isLoggedOut(error) || /_(LOGIN_REFUSED|LOGIN_UNSUPPORTED|NO_CREDENTIALS)$/.test(failure.code);
    if (isLoggedOut(error) && account.canLogIn() && this.#attempts === 1) {
      logger.warn('The homeserver has ended our session, logging in again');
      onStatus('connecting', 'the homeserver has ended our session', this.#attempts);
      return;
    }
    if (error instanceof HttpFailure && error.kind === 'too-large') this.#small = true;
    if (this.#token !== null && isTokenRefusal(error)) this.#startAfresh(failure);
    const atLeastMs = failure.retry.kind === 'after' ? failure.retry.ms : 0;
    const range = loggedOut ? LOGGED_OUT_BACKOFF : BACKOFF;
    const waitMs = Math.max(atLeastMs, fullJitter(this.#attempts - 1, range, random()));
    const advice = loggedOut && !account.canLogIn() ? ' (run `mmrelay auth login`)' : '';
    const fields = { reason: failure.message, code: failure.code, attempts: this.#attempts, retryInMs: waitMs };
    if (loggedOut) logger.error('Logged out of the homeserver', fields);
    else logger.warn('The homeserver cannot be synced', fields);
    onStatus(loggedOut ? 'logged-out' : 'backing-off', `${failure.message}${advice}`, this.#attempts);
    await (loggedOut ? account.waitForLogin(waitMs, signal) : sleep(clock, waitMs, signal));
  }

  #startAfresh(failure: RelayError): void {
    this.#options.logger.error('The homeserver does not know our sync token, starting afresh', {
      reason: failure.message,
    });
    this.#token = null;
    this.#needState = true;
    this.#lost = true;
  }

  /** A server or proxy that answers a long poll at once with nothing must not be asked in a tight loop. */
  async #holdQuickAnswers(sections: SyncSections, longPoll: boolean, tookMs: number): Promise<void> {
    const { clock, signal } = this.#options;
    this.#quickAnswers = longPoll && sections.empty && tookMs < QUICK_ANSWER_MS ? this.#quickAnswers + 1 : 0;
    // A few are normal: each key upload or account change wakes the poll.
    if (this.#quickAnswers > 3) await sleep(clock, Math.min(1000 * 2 ** (this.#quickAnswers - 4), 15_000), signal);
  }
}

/** Only the /sync request carries the token, and its other parameters are constant: a 400 means the token. */
function isTokenRefusal(error: unknown): boolean {
  const code = error instanceof HttpFailure && error.status === 400 ? error.errcode : null;
  return code === 'M_UNKNOWN_POS' || code === 'M_INVALID_PARAM' || code === 'M_UNKNOWN';
}

const NOTHING = { not_types: ['*'] };

function filter(timelineLimit: number): string {
  return JSON.stringify({
    presence: NOTHING,
    room: {
      ephemeral: NOTHING,
      account_data: NOTHING,
      // Redundant members: after a restart we know none, although the server has sent them to this device before.
      state: { lazy_load_members: true, include_redundant_members: true },
      timeline: { limit: timelineLimit, lazy_load_members: true, include_redundant_members: true },
    },
  });
}

const FILTER = filter(100);
/** Without a token the timeline is history, which nobody asked for. */
const INITIAL_FILTER = filter(10);
const SMALL_FILTER = filter(1);
