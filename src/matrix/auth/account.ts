/**
 * The account the relay speaks as. One per adapter. Holds the credentials in use; invariant: `current()` is complete
 * (user known) or null, and a login happens only in `ensure`, which the sync loop alone calls, so never twice at once.
 */

import type { Logger } from '../../util/logger.ts';
import { errorText, RETRY_LATER, RelayError } from '../../util/relay-error.ts';
import type { HttpSend } from '../http.ts';
import type { Credentials } from './credentials-file.ts';
import { type AuthContext, discoverHomeserver, type LoginSettings, loginWithPassword, whoami } from './login.ts';

export interface AccountOptions {
  /** What is stored; null when nothing is. */
  readonly credentials: Credentials | null;
  /** Password login, used when there are no credentials and when the server refuses them. */
  readonly login: LoginSettings | null;
  /** Called after each login, and when whoami filled a gap. A throw is logged: the session in memory is still good. */
  readonly saveCredentials: (credentials: Credentials) => void;
}

export type ActiveCredentials = Credentials & { readonly userId: string };

export class Account {
  readonly #options: AccountOptions;
  readonly #http: HttpSend;
  readonly #timeoutMs: number;
  readonly #logger: Logger;
  #stored: Credentials | null;
  #active: ActiveCredentials | null;
  #refusedToken: string | null = null;

  constructor(options: AccountOptions, http: HttpSend, timeoutMs: number, logger: Logger) {
    this.#options = options;
    this.#http = http;
    this.#timeoutMs = timeoutMs;
    this.#logger = logger;
    this.#stored = options.credentials;
    this.#active = null;
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

  /** The server said that this token is not good; late words about an older token change nothing. */
  refuse(token: string): void {
    if (this.#stored?.accessToken === token) this.#refusedToken = token;
  }

  /** The device of the stored session is of no use to us: the next `ensure` logs in as a new one. */
  leaveDevice(): void {
    if (this.#stored === null) return;
    this.#refusedToken = this.#stored.accessToken;
    this.#stored = { ...this.#stored, deviceId: null };
    this.#active = null;
  }

  /** True while the token in use is one the server refused. */
  isRefused(): boolean {
    return this.#stored !== null && this.#refusedToken === this.#stored.accessToken;
  }

  /**
   * Complete credentials, by a login or a whoami where needed.
   * @throws RelayError MATRIX_LOGIN_REFUSED, MATRIX_NO_CREDENTIALS, or what the network gave; HttpFailure from whoami
   */
  async ensure(signal: AbortSignal): Promise<ActiveCredentials> {
    const context: AuthContext = { http: this.#http, timeoutMs: this.#timeoutMs, signal };
    if (this.#stored === null || (this.isRefused() && this.canLogIn())) await this.#logIn(context);
    const stored = this.#stored;
    if (stored === null) throw noCredentials();
    if (this.#active?.accessToken === stored.accessToken) return this.#active;
    this.#active = await this.#complete(stored, context);
    return this.#active;
  }

  async #logIn(context: AuthContext): Promise<void> {
    const login = this.#options.login;
    if (login === null) throw noCredentials();
    const old = this.#stored;
    const baseUrl = old?.homeserver ?? (await discoverHomeserver(login.homeserver, context));
    const deviceId = old?.deviceId ?? null;
    const fresh = await loginWithPassword(login, { ...context, baseUrl, deviceId });
    this.#logger.info('Logged in to the homeserver', { userId: fresh.userId, sameDevice: fresh.deviceId === deviceId });
    this.#adopt(fresh);
  }

  async #complete(stored: Credentials, context: AuthContext): Promise<ActiveCredentials> {
    if (stored.userId !== null && stored.deviceId !== null) return { ...stored, userId: stored.userId };
    const who = await whoami(stored, context);
    const complete = { ...stored, userId: who.userId, deviceId: who.deviceId ?? stored.deviceId };
    this.#adopt(complete);
    return complete;
  }

  #adopt(credentials: Credentials): void {
    this.#stored = credentials;
    try {
      this.#options.saveCredentials(credentials);
    } catch (error) {
      this.#logger.error('The credentials could not be saved: the next start logs in again', {
        reason: errorText(error),
      });
    }
  }
}

function noCredentials(): RelayError {
  return new RelayError('MATRIX_NO_CREDENTIALS', 'there are no credentials: run `mmrelay auth login`', {
    retry: RETRY_LATER,
  });
}
