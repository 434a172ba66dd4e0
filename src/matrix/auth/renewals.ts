/**
 * When and how often the session is renewed. One per account. Holds the renewal under way and the last failure;
 * invariants: one renewal at a time, a pause after one that failed, and none that is not needed yet.
 */

import { RelayError } from '../../util/relay-error.ts';
import type { AuthContext } from './auth-context.ts';
import type { Credentials } from './credentials-file.ts';
import { hasEnded, isEnding, RENEW_AHEAD_MS, renewSession } from './renew.ts';

const PAUSE_MS = 15_000;

export class Renewals {
  readonly #context: AuthContext;
  #running: Promise<void> | null = null;
  #failure: { readonly error: unknown; readonly untilMs: number } | null = null;
  #renewedMs: number | null = null;

  constructor(context: AuthContext) {
    this.#context = context;
  }

  /** The session ends soon. Where tokens last no longer than we look ahead, they are used to their end. */
  isDue(session: Credentials): boolean {
    const { clock } = this.#context;
    if (!isEnding(session, clock.now())) return false;
    const isNew = this.#renewedMs !== null && clock.monotonic() - this.#renewedMs < RENEW_AHEAD_MS / 2;
    return !isNew || hasEnded(session, clock.now());
  }

  /** Does `work`, or joins the work under way. @throws what the work threw, also in the pause after it */
  async once(work: () => Promise<void>): Promise<void> {
    const failed = this.#failure;
    if (failed !== null && this.#context.clock.monotonic() < failed.untilMs) throw failed.error;
    this.#running ??= work().finally(() => {
      this.#running = null;
    });
    await this.#running;
  }

  /**
   * The next tokens; null when the homeserver renews this session no longer.
   * @throws RelayError when it cannot be asked for now
   */
  async next(session: Credentials): Promise<Credentials | null> {
    const { clock } = this.#context;
    if (session.renewal === undefined) return null;
    try {
      const next = await renewSession(session, session.renewal, this.#context);
      this.forget();
      this.#renewedMs = clock.monotonic();
      return next;
    } catch (error) {
      if (error instanceof RelayError && error.code === 'MATRIX_LOGGED_OUT') return null;
      this.#failure = { error, untilMs: clock.monotonic() + pauseMs(error) };
      throw error;
    }
  }

  /** Another session is in use: the failures of the old one say nothing of it. */
  forget(): void {
    this.#failure = null;
  }
}

function pauseMs(error: unknown): number {
  return error instanceof RelayError && error.retry.kind === 'after' ? error.retry.ms : PAUSE_MS;
}
