import { randomBytes, randomInt } from 'node:crypto';
import type { JsonObject } from '../../util/json.ts';
import type { Hub } from './hub.ts';
import { MatrixError, notFound } from './matrix-error.ts';
import type { Session } from './types.ts';

export interface Device {
  readonly deviceId: string;
  displayName: string | null;
  readonly lastSeenMs: number;
}

export interface Account {
  readonly userId: string;
  readonly password: string;
  readonly devices: Map<string, Device>;
  readonly profile: Map<string, string>;
  /** Key: room id ('' for global), then type. */
  readonly accountData: Map<string, Map<string, { readonly pos: number; readonly content: JsonObject }>>;
  readonly filters: JsonObject[];
}

/** Users, their devices and tokens. One per homeserver. Invariant: a token leads to one device that exists. */
export class Accounts {
  readonly serverName: string;
  readonly #hub: Hub;
  readonly #accounts = new Map<string, Account>();
  readonly #tokens = new Map<string, Session>();
  readonly #onDeviceGone: (userId: string, deviceId: string) => void;

  constructor(serverName: string, hub: Hub, onDeviceGone: (userId: string, deviceId: string) => void) {
    this.serverName = serverName;
    this.#hub = hub;
    this.#onDeviceGone = onDeviceGone;
  }

  /** `name` is a localpart or a full user id. */
  userIdOf(name: string): string {
    return name.startsWith('@') ? name : `@${name}:${this.serverName}`;
  }

  create(name: string, password: string): Account {
    const userId = this.userIdOf(name);
    if (this.#accounts.has(userId)) throw new MatrixError(400, 'M_USER_IN_USE', 'User ID already taken.');
    const localpart = userId.slice(1, userId.indexOf(':'));
    const account: Account = {
      userId,
      password,
      devices: new Map(),
      profile: new Map([['displayname', localpart]]),
      accountData: new Map(),
      filters: [],
    };
    this.#accounts.set(userId, account);
    return account;
  }

  find(userId: string): Account | null {
    return this.#accounts.get(userId) ?? null;
  }

  need(userId: string): Account {
    const account = this.#accounts.get(userId);
    if (account === undefined) throw notFound(`No such user: ${userId}`);
    return account;
  }

  /** A new session on a device, which is made when it does not exist. As in Synapse, older tokens of the device live on. */
  login(
    account: Account,
    device: { readonly id: string | null; readonly name: string | null; readonly nowMs: number },
  ): Session {
    const deviceId = device.id ?? randomDeviceId();
    const accessToken = `syt_${randomBytes(18).toString('base64url')}`;
    if (!account.devices.has(deviceId)) {
      account.devices.set(deviceId, { deviceId, displayName: device.name, lastSeenMs: device.nowMs });
    }
    const session: Session = { userId: account.userId, deviceId, accessToken };
    this.#tokens.set(accessToken, session);
    return session;
  }

  session(accessToken: string): Session | null {
    return this.#tokens.get(accessToken) ?? null;
  }

  /** Takes the tokens of a user (or of one device) but leaves devices and keys: what an administrator's soft logout does. */
  expireTokens(userId: string, deviceId?: string): void {
    for (const session of [...this.#tokens.values()]) {
      if (session.userId !== userId || (deviceId !== undefined && session.deviceId !== deviceId)) continue;
      this.#tokens.delete(session.accessToken);
    }
  }

  removeDevice(userId: string, deviceId: string): void {
    const account = this.need(userId);
    if (!account.devices.delete(deviceId)) return;
    this.expireTokens(userId, deviceId);
    this.#onDeviceGone(userId, deviceId);
  }

  setAccountData(account: Account, key: { readonly roomId: string; readonly type: string }, content: JsonObject): void {
    const scope = account.accountData.get(key.roomId) ?? new Map();
    account.accountData.set(key.roomId, scope);
    scope.set(key.type, { pos: this.#hub.next(), content });
    this.#hub.notify();
  }
}

function randomDeviceId(): string {
  return Array.from({ length: 10 }, () => String.fromCharCode(65 + randomInt(26))).join('');
}
