import { type Clock, systemClock } from '../../util/clock.ts';
import { HttpServer } from './http-server.ts';
import type { Outage, OutageScope } from './outage.ts';
import { NO_RATE_LIMITS, type RateLimits } from './rate-limit.ts';
import { Router } from './router.ts';
import { addAccountRoutes } from './routes/account.ts';
import { addAuthRoutes } from './routes/auth.ts';
import { addEventRoutes } from './routes/events.ts';
import { addHistoryRoutes } from './routes/history.ts';
import { addKeyBackupRoutes } from './routes/key-backup.ts';
import { addKeyRoutes } from './routes/keys.ts';
import { addMediaRoutes } from './routes/media.ts';
import { addRoomRoutes } from './routes/rooms.ts';
import { addSyncRoutes } from './routes/sync.ts';
import type { NewEvent, Session, StoredEvent } from './types.ts';
import { createWorld, type Tuning, type World } from './world.ts';

export interface HomeserverOptions {
  /** Default: the system clock. With a ManualClock, long polls wait until it moves or something happens. */
  readonly clock?: Clock;
  /** Default `sandbox.local`. */
  readonly serverName?: string;
  /** Default: none. See STOCK_RATE_LIMITS. */
  readonly rateLimits?: RateLimits;
  /** Default 0: any free port. */
  readonly port?: number;
}

/** A Matrix homeserver in memory on loopback, with the switches that tests turn. */
export interface Homeserver {
  readonly baseUrl: string;
  readonly serverName: string;
  /** Turned while it runs: the cap of sync timelines, soft logout. */
  readonly tuning: Tuning;
  /** Makes the user and a first session. */
  registerUser(name: string, password: string): Session;
  /** The room's events, oldest first. */
  timeline(roomId: string): readonly StoredEvent[];
  /** Appends an event of any sender, without asking the authorization rules. Returns its id. */
  inject(roomId: string, event: NewEvent): string;
  /** Switches an outage on, or off with null; resolves when the port is closed or open again. */
  setOutage(outage: Outage | null, scope?: OutageScope): Promise<void>;
  setRateLimits(limits: RateLimits): void;
  /** Makes the tokens of a user (or of one device) unknown; devices and keys stay. */
  expireTokens(userId: string, deviceId?: string): void;
  /** How many requests came whose `METHOD path` matches; all when absent. */
  requestCount(pattern?: RegExp): number;
  /** `METHOD path` of every request, in order of arrival. */
  requests(): readonly string[];
  /** To-device messages not yet acknowledged. */
  waitingToDevice(userId: string, deviceId: string): number;
  close(): Promise<void>;
}

/** Starts the in-memory homeserver. */
export async function createHomeserver(options: HomeserverOptions = {}): Promise<Homeserver> {
  const world = createWorld({
    serverName: options.serverName ?? 'sandbox.local',
    clock: options.clock ?? systemClock,
    rateLimits: options.rateLimits ?? NO_RATE_LIMITS,
  });
  const router = new Router();
  const server = new HttpServer(router, world, options.port ?? 0);
  await server.open();
  const baseUrl = `http://127.0.0.1:${server.port}`;
  addRoutes(router, world, baseUrl);
  return {
    baseUrl,
    serverName: world.serverName,
    tuning: world.tuning,
    registerUser: (name, password) => {
      const account = world.accounts.create(name, password);
      return world.accounts.login(account, { id: null, name: null, nowMs: world.clock.now() });
    },
    timeline: (roomId) => world.rooms.need(roomId).events,
    inject: (roomId, event) => world.rooms.append(world.rooms.need(roomId), event).eventId,
    setOutage: async (outage, scope) => {
      server.outages.set(outage?.kind === 'refuse' ? null : outage, scope);
      await (outage?.kind === 'refuse' ? server.close() : server.open());
    },
    setRateLimits: (limits) => {
      world.rateLimiter.limits = limits;
    },
    expireTokens: (userId, deviceId) => world.accounts.expireTokens(userId, deviceId),
    requestCount: (pattern) => server.log.filter((line) => pattern?.test(line) ?? true).length,
    requests: () => server.log,
    waitingToDevice: (userId, deviceId) => world.toDevice.waiting(userId, deviceId),
    close: () => server.close(),
  };
}

function addRoutes(router: Router, world: World, baseUrl: string): void {
  addAuthRoutes(router, world);
  addAccountRoutes(router, world);
  addRoomRoutes(router, world);
  addEventRoutes(router, world);
  addHistoryRoutes(router, world);
  addSyncRoutes(router, world);
  addKeyRoutes(router, world);
  addKeyBackupRoutes(router, world);
  addMediaRoutes(router, world);
  router.onOpen('GET', '/.well-known/matrix/client', () => ({ json: { 'm.homeserver': { base_url: baseUrl } } }));
}
