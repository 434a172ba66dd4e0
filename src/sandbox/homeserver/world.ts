import type { Clock } from '../../util/clock.ts';
import { Accounts } from './accounts.ts';
import { CrossSigning } from './cross-signing.ts';
import { DeviceKeys } from './device-keys.ts';
import { Hub } from './hub.ts';
import { KeyBackups } from './key-backup.ts';
import { Media } from './media.ts';
import { RateLimiter, type RateLimits } from './rate-limit.ts';
import { Rooms } from './rooms.ts';
import { SyncCache } from './sync-cache.ts';
import { ToDevice } from './to-device.ts';
import { Transactions } from './transactions.ts';
import { UserAuth } from './user-auth.ts';

/** Everything the endpoints work on. One per homeserver. */
export interface World {
  readonly serverName: string;
  readonly clock: Clock;
  readonly hub: Hub;
  readonly accounts: Accounts;
  readonly rooms: Rooms;
  readonly toDevice: ToDevice;
  readonly deviceKeys: DeviceKeys;
  readonly crossSigning: CrossSigning;
  readonly backups: KeyBackups;
  readonly media: Media;
  readonly rateLimiter: RateLimiter;
  readonly transactions: Transactions;
  readonly userAuth: UserAuth;
  readonly syncCache: SyncCache;
  readonly tuning: Tuning;
}

/** What tests turn while the server runs. */
export interface Tuning {
  /**
   * Whose habits it has. `conduit`, as the sources of conduwuit and continuwuity tell them: /sync has no more than ten
   * events of a room and none of a room that was left, full_state brings nothing of quiet rooms, a count of keys that
   * is zero is left out, there are no fallback keys, and the first cross-signing keys want the password, too.
   */
  family: 'synapse' | 'conduit';
  /** Most events in a sync timeline; Synapse: 100. */
  timelineCap: number;
  /** What 401 M_UNKNOWN_TOKEN says for an unknown token. */
  softLogout: boolean;
  /** How long the same /sync request gets the same answer; Synapse: two minutes. 0 turns it off. */
  syncCacheMs: number;
}

export function createWorld(options: {
  readonly serverName: string;
  readonly clock: Clock;
  readonly rateLimits: RateLimits;
}): World {
  const { serverName, clock } = options;
  const hub = new Hub(clock);
  const toDevice = new ToDevice(hub);
  const deviceKeys = new DeviceKeys(hub);
  const accounts = new Accounts(serverName, hub, (userId, deviceId) => {
    toDevice.drop(userId, deviceId);
    deviceKeys.drop(userId, deviceId);
  });
  return {
    serverName,
    clock,
    hub,
    accounts,
    rooms: new Rooms(serverName, hub, clock),
    toDevice,
    deviceKeys,
    crossSigning: new CrossSigning(deviceKeys),
    backups: new KeyBackups(),
    media: new Media(serverName),
    rateLimiter: new RateLimiter(clock, options.rateLimits),
    transactions: new Transactions(),
    userAuth: new UserAuth(),
    syncCache: new SyncCache(clock),
    tuning: { family: 'synapse', timelineCap: 100, softLogout: false, syncCacheMs: 120_000 },
  };
}
