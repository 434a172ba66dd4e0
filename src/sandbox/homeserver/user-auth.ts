import { randomBytes } from 'node:crypto';
import { isObject, type JsonObject } from '../../util/json.ts';
import type { Account } from './accounts.ts';
import { objectAt, stringAt } from './json-read.ts';
import { MatrixError } from './matrix-error.ts';

/** User-interactive authentication. One per homeserver; holds the sessions that wait for their stage. */
export class UserAuth {
  readonly #sessions = new Set<string>();

  /** Passes when the request carries the account's password for a session of ours; else answers 401 with the flows. */
  needPassword(account: Account, body: JsonObject): void {
    const auth = body.auth;
    if (!isObject(auth) || stringAt(auth, 'type') !== 'm.login.password') throw this.#challenge('m.login.password');
    if (!this.#sessions.has(stringAt(auth, 'session') ?? '')) throw this.#challenge('m.login.password');
    const user = stringAt(objectAt(auth, 'identifier'), 'user') ?? stringAt(auth, 'user') ?? account.userId;
    const named =
      user === account.userId || `@${user}:${account.userId.slice(account.userId.indexOf(':') + 1)}` === account.userId;
    if (!named || stringAt(auth, 'password') !== account.password) {
      throw this.#challenge('m.login.password', { errcode: 'M_FORBIDDEN', error: 'Invalid username or password' });
    }
    this.#sessions.delete(stringAt(auth, 'session') ?? '');
  }

  /** Registration without proof: the dummy stage. */
  needDummy(body: JsonObject): void {
    const auth = body.auth;
    if (!isObject(auth) || stringAt(auth, 'type') !== 'm.login.dummy') throw this.#challenge('m.login.dummy');
  }

  #challenge(stage: string, extra: JsonObject = {}): MatrixError {
    const session = randomBytes(12).toString('base64url');
    this.#sessions.add(session);
    return new UserAuthRequired({ session, flows: [{ stages: [stage] }], params: {}, ...extra });
  }
}

class UserAuthRequired extends MatrixError {
  constructor(extra: JsonObject) {
    super(401, 'M_FORBIDDEN', 'Authentication required', extra);
  }

  override body(): JsonObject {
    return this.extra;
  }
}
