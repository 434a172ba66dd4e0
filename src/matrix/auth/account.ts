/**
 * The account the relay speaks as. One per adapter. Holds the credentials in use; invariants: `current()` is complete
 * (user known) or null; a login happens only in `ensure`, which the sync loop alone calls, so never twice at once; of
 * renewals there is one at a time; a new token is stored before it is used.
 */

import { sleep } from '../../util/clock.ts';
import type { Logger } from '../../util/logger.ts';
import { errorText, RETRY_LATER, RelayError } from '../../util/relay-error.ts';
import { isLoggedOut, keepsDevice } from '../errors.ts';
import type { AuthContext } from './auth-context.ts';
import type { Credentials } from './credentials-file.ts';
import { discoverHomeserver } from './discovery.ts';
import { type LoginSettings, loginWithPassword, whoami } from './login.ts';
import { isEnding } from './renew.ts';
import { Renewals } from './renewals.ts';

export interface AccountOptions {
  /** What is stored; null when nothing is. */
  readonly credentials: Credentials | null;
  /** Password login, used when there are no credentials and when the server refuses them. */
  readonly login: LoginSettings | null;
  /** Called after each login and renewal, and when whoami filled a gap. A throw is logged and tried again. */
  readonly saveCredentials: (credentials: Credentials) => void;
  /** What is stored by now: `mmrelay auth login` beside the relay, or another renewal. null: nothing of use. */
  readonly readCredentials?: () => Credentials | null;
}

export type ActiveCredentials = Credentials & { readonly userId: string };

/** Whether somebody has logged in by hand is looked up so often while we are logged out. */
const LOOK_AGAIN_MS = 5_000;

export class Account {
  readonly #options: AccountOptions;
  readonly #context: AuthContext;
  readonly #logger: Logger;
  readonly #renewals: Renewals;
  #stored: Credentials | null;
  #active: ActiveCredentials | null = null;
  #refused: { readonly token: string; readonly keepsDevice: boolean } | null = null;
  #unsaved = false;

  constructor(options: AccountOptions, context: AuthContext, logger: Logger) {
    this.#options = options;
    this.#context = context;
    this.#logger = logger;
    this.#renewals = new Renewals(context);
    this.#stored = options.credentials;
  }

  current(): ActiveCredentials | null {
    return this.#active;
  }

  /** The id in the stored credentials, before any contact with the server. */
  userId(): string | null {
    return this.#active?.userId ?? this.#stored?.userId ?? null;
  }

  canLogIn(): boolean {
    return this.#options.login !== null;
  }

  /**
   * The credentials to use now, renewed when they are about to end; null before the first login.
   * @throws RelayError MATRIX_LOGGED_OUT while the server refuses them: it need not be asked by every message
   */
  async fresh(): Promise<ActiveCredentials | null> {
    const active = this.#active;
    if (this.isRefused()) await this.#renew();
    else if (active !== null && this.#renewals.isDue(active)) {
      // Logged where it failed; the token in use may still be good, and if not, the server will say so.
      await this.#renew().catch(() => undefined);
    }
    if (this.isRefused()) throw loggedOut();
    return this.#active;
  }

  /**
   * The server said that this token is not good.
   * @param device whether the device is still there
   * @returns true when another one is in use by now, so that the request can be made again. @throws RelayError when
   *   one could not be had for the moment
   */
  async replace(token: string, device: { readonly kept: boolean }): Promise<boolean> {
    // Late words about an older token change nothing.
    if (this.#stored?.accessToken !== token) return this.#active !== null && this.#active.accessToken !== token;
    this.#refused = { token, keepsDevice: device.kept };
    if (this.#stored.renewal === undefined) return false;
    await this.#renew();
    return !this.isRefused() && this.#active !== null;
  }

  /** The device of the stored session is of no use to us: the next `ensure` logs in as a new one. */
  leaveDevice(): void {
    if (this.#stored === null) return;
    this.#refused = { token: this.#stored.accessToken, keepsDevice: false };
    this.#stored = withoutRenewal(this.#stored);
    this.#active = null;
  }

  /** True while the token in use is one the server refused. */
  isRefused(): boolean {
    return this.#stored !== null && this.#refused?.token === this.#stored.accessToken;
  }

  /**
   * Complete credentials, by a login, a renewal or a whoami where needed.
   * @throws RelayError MATRIX_LOGIN_REFUSED, MATRIX_NO_CREDENTIALS, or what the network gave; HttpFailure from whoami
   */
  async ensure(signal: AbortSignal): Promise<ActiveCredentials> {
    const context = { ...this.#context, signal };
    if (this.#unsaved && this.#stored !== null) this.#save(this.#stored);
    if (this.isRefused() || this.#isEnding()) this.#takeStored(false);
    if (this.isRefused()) await this.#renew();
    const needsLogin = this.#stored === null || (this.isRefused() && this.canLogIn());
    if (needsLogin) await this.#logIn(context);
    else this.#refused = null; // it may be good again: a server was restored, a proxy mended
    const stored = this.#stored;
    if (stored === null) throw noCredentials();
    if (this.#active?.accessToken !== stored.accessToken) await this.#activate(stored, context);
    const active = await this.fresh();
    if (active === null) throw noCredentials();
    return active;
  }

  /** Waits, no longer than for somebody to log in by hand. */
  async waitForLogin(waitMs: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#context;
    const stepMs = this.#options.readCredentials === undefined ? waitMs : LOOK_AGAIN_MS;
    for (let restMs = waitMs; restMs > 0 && !signal.aborted; restMs -= stepMs) {
      await sleep(clock, Math.min(stepMs, restMs), signal);
      if (this.#takeStored(false)) return;
    }
  }

  #isEnding(): boolean {
    return this.#stored !== null && isEnding(this.#stored, this.#context.clock.now());
  }

  async #logIn(context: AuthContext): Promise<void> {
    const login = this.#options.login;
    if (login === null) throw noCredentials();
    const old = this.#stored;
    const baseUrl = old?.homeserver ?? (await discoverHomeserver(login.homeserver, context));
    const deviceId = this.#refused?.keepsDevice === false ? null : (old?.deviceId ?? null);
    const fresh = await loginWithPassword(login, { ...context, baseUrl, deviceId });
    const { userId, deviceId: device } = fresh;
    this.#logger.info('Logged in to the homeserver', { userId, device, sameDevice: device === deviceId });
    if (old !== null && old.deviceId !== null && deviceId === null) {
      this.#logger.warn('The old device is left: its key store stays where it is', { device: old.deviceId });
    }
    this.#adopt(fresh);
  }

  async #activate(stored: Credentials, context: AuthContext): Promise<void> {
    if (stored.userId !== null && stored.deviceId !== null) {
      this.#active = { ...stored, userId: stored.userId };
      return;
    }
    const who = await this.#whoami(stored, context);
    this.#active = { ...stored, userId: who.userId, deviceId: who.deviceId ?? stored.deviceId };
    this.#adopt(this.#active);
  }

  async #whoami(stored: Credentials, context: AuthContext): ReturnType<typeof whoami> {
    try {
      return await whoami(stored, context);
    } catch (error) {
      if (isLoggedOut(error)) this.#refused = { token: stored.accessToken, keepsDevice: keepsDevice(error) };
      throw error;
    }
  }

  /** @throws RelayError when there is no new token for now; nothing happens where there can be none */
  async #renew(): Promise<void> {
    if (this.#stored?.renewal !== undefined) await this.#renewals.once(() => this.#renewOnce());
  }

  async #renewOnce(): Promise<void> {
    if (this.#takeStored(true)) return;
    const stored = this.#stored;
    if (stored === null) return;
    try {
      const next = await this.#renewals.next(stored);
      // Somebody has logged in meanwhile, or the device was left: the session that was renewed is not ours any more.
      if (this.#stored?.renewal?.refreshToken !== stored.renewal?.refreshToken) return;
      if (next === null) {
        // The access token lives on until the server refuses it; then a login is needed.
        this.#logger.error('The homeserver renews our session no longer');
        this.#stored = withoutRenewal(stored);
      } else this.#adopt(next);
      if (this.#active !== null) this.#active = { ...(next ?? withoutRenewal(stored)), userId: this.#active.userId };
    } catch (error) {
      this.#logger.warn('The access token could not be renewed', { reason: errorText(error) });
      throw error;
    }
  }

  /**
   * A session of the same user that was stored behind our back. Of another device only where `ensure` follows: it
   * needs another SDK client.
   * @returns true when it is in use now
   */
  #takeStored(sameDevice: boolean): boolean {
    const found = this.#options.readCredentials?.() ?? null;
    const own = this.#stored;
    if (found === null || own === null || this.#unsaved || found.userId !== own.userId) return false;
    if (found.accessToken === own.accessToken || found.accessToken === this.#refused?.token) return false;
    if (sameDevice && found.deviceId !== own.deviceId) return false;
    this.#logger.info('Took over the session that was stored meanwhile', { device: found.deviceId });
    this.#stored = found;
    const { userId } = found;
    this.#active = sameDevice && userId !== null ? { ...found, userId } : null;
    this.#renewals.forget();
    return true;
  }

  #adopt(credentials: Credentials): void {
    this.#stored = credentials;
    this.#save(credentials);
  }

  #save(credentials: Credentials): void {
    try {
      this.#options.saveCredentials(credentials);
      this.#unsaved = false;
    } catch (error) {
      // Tried again with every sync, told once.
      if (!this.#unsaved) {
        const reason = errorText(error);
        this.#logger.error('The credentials could not be saved: a restart would need a new login', { reason });
      }
      this.#unsaved = true;
    }
  }
}

function withoutRenewal({ renewal: _renewal, ...rest }: Credentials): Credentials {
  return rest;
}

function loggedOut(): RelayError {
  return new RelayError('MATRIX_LOGGED_OUT', 'The homeserver has ended our session', { retry: RETRY_LATER });
}

function noCredentials(): RelayError {
  return new RelayError('MATRIX_NO_CREDENTIALS', 'there are no credentials: run `mmrelay auth login`', {
    retry: RETRY_LATER,
  });
}
