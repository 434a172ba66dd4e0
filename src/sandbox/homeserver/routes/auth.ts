import type { JsonObject } from '../../../util/json.ts';
import { needString, objectAt, stringAt } from '../json-read.ts';
import { forbidden, MatrixError } from '../matrix-error.ts';
import type { Reply, RouteRequest, Router } from '../router.ts';
import type { World } from '../world.ts';

const V3 = '/_matrix/client/v3';

/** Versions, login, registration, whoami, logout. */
export function addAuthRoutes(router: Router, world: World): void {
  router.onOpen('GET', '/_matrix/client/versions', () => ({
    json: {
      versions: ['r0.6.1', 'v1.1', 'v1.2', 'v1.3', 'v1.4', 'v1.5', 'v1.6', 'v1.7', 'v1.8', 'v1.9', 'v1.10', 'v1.11'],
      unstable_features: { 'org.matrix.msc3967': true },
    },
  }));
  router.on('GET', `${V3}/capabilities`, () => ({
    json: {
      capabilities: {
        'm.room_versions': { default: '12', available: { '10': 'stable', '11': 'stable', '12': 'stable' } },
        'm.change_password': { enabled: true },
        'm.set_displayname': { enabled: true },
        'm.set_avatar_url': { enabled: true },
      },
    },
  }));
  router.onOpen('GET', `${V3}/login`, () => ({ json: { flows: [{ type: 'm.login.password' }] } }));
  router.onOpen('POST', `${V3}/login`, (request) => login(world, request));
  router.onOpen('POST', `${V3}/register`, (request) => register(world, request));
  router.onOpen('GET', `${V3}/register/available`, (request) => {
    const userId = world.accounts.userIdOf(request.query.get('username') ?? '');
    if (world.accounts.find(userId)) throw new MatrixError(400, 'M_USER_IN_USE', 'User ID already taken.');
    return { json: { available: true } };
  });
  router.on('GET', `${V3}/account/whoami`, (_request, session) => ({
    json: { user_id: session.userId, device_id: session.deviceId, is_guest: false },
  }));
  router.on('POST', `${V3}/logout`, (_request, session) => {
    world.accounts.removeDevice(session.userId, session.deviceId);
    return { json: {} };
  });
  router.on('POST', `${V3}/logout/all`, (_request, session) => {
    for (const deviceId of [...world.accounts.need(session.userId).devices.keys()]) {
      world.accounts.removeDevice(session.userId, deviceId);
    }
    return { json: {} };
  });
}

function login(world: World, request: RouteRequest): Reply {
  const body = request.json();
  const type = needString(body, 'type');
  if (type !== 'm.login.password') throw new MatrixError(400, 'M_UNKNOWN', `Unknown login type ${type}`);
  const name = stringAt(objectAt(body, 'identifier'), 'user') ?? needString(body, 'user');
  const userId = world.accounts.userIdOf(name);
  world.rateLimiter.take('login', userId);
  const account = world.accounts.find(userId);
  if (account === null || account.password !== needString(body, 'password')) {
    throw forbidden('Invalid username or password');
  }
  return { json: newSession(world, userId, body) };
}

function register(world: World, request: RouteRequest): Reply {
  const body = request.json();
  const name = needString(body, 'username');
  if (world.accounts.find(world.accounts.userIdOf(name))) {
    throw new MatrixError(400, 'M_USER_IN_USE', 'User ID already taken.');
  }
  world.userAuth.needDummy(body);
  const account = world.accounts.create(name, needString(body, 'password'));
  if (body.inhibit_login === true) return { json: { user_id: account.userId, home_server: world.serverName } };
  return { json: newSession(world, account.userId, body) };
}

function newSession(world: World, userId: string, body: JsonObject): JsonObject {
  const session = world.accounts.login(world.accounts.need(userId), {
    id: stringAt(body, 'device_id'),
    name: stringAt(body, 'initial_device_display_name'),
    nowMs: world.clock.now(),
  });
  return {
    user_id: session.userId,
    access_token: session.accessToken,
    home_server: world.serverName,
    device_id: session.deviceId,
  };
}
