import { isObject, type JsonObject } from '../../../util/json.ts';
import type { Account } from '../accounts.ts';
import { listAt, stringAt } from '../json-read.ts';
import { forbidden, notFound } from '../matrix-error.ts';
import { defaultPushRules } from '../push-rules.ts';
import type { Reply, RouteRequest, Router } from '../router.ts';
import type { Session } from '../types.ts';
import type { World } from '../world.ts';

const V3 = '/_matrix/client/v3';

/** Profile, account data, filters, push rules, presence, devices. */
export function addAccountRoutes(router: Router, world: World): void {
  addProfile(router, world);
  addAccountData(router, world);
  addDevices(router, world);
  router.on('POST', `${V3}/user/{userId}/filter`, (request, session) => {
    const { filters } = own(world, request, session);
    filters.push(request.json());
    return { json: { filter_id: String(filters.length - 1) } };
  });
  router.on('GET', `${V3}/user/{userId}/filter/{id}`, (request, session) => {
    const filter = own(world, request, session).filters[Number(request.param('id'))];
    if (filter === undefined) throw notFound('No such filter');
    return { json: filter };
  });
  router.on('GET', `${V3}/pushrules`, () => ({ json: defaultPushRules() }));
  router.on('PUT', `${V3}/presence/{userId}/status`, () => ({ json: {} }));
  router.on('GET', `${V3}/presence/{userId}/status`, () => ({ json: { presence: 'offline' } }));
}

function own(world: World, request: RouteRequest, session: Session): Account {
  if (request.param('userId') !== session.userId) throw forbidden('Cannot act for other users.');
  return world.accounts.need(session.userId);
}

function addProfile(router: Router, world: World): void {
  const account = (request: RouteRequest): Account => {
    const found = world.accounts.find(request.param('userId'));
    if (found === null) throw notFound('Profile was not found');
    return found;
  };
  router.onOpen('GET', `${V3}/profile/{userId}`, (request) => ({ json: Object.fromEntries(account(request).profile) }));
  router.onOpen('GET', `${V3}/profile/{userId}/{field}`, (request) => {
    const value = account(request).profile.get(request.param('field'));
    return { json: value === undefined ? {} : { [request.param('field')]: value } };
  });
  router.on('PUT', `${V3}/profile/{userId}/{field}`, (request, session) => {
    const { profile } = own(world, request, session);
    profile.set(request.param('field'), stringAt(request.json(), request.param('field')) ?? '');
    for (const room of world.rooms.joined(session.userId)) {
      world.rooms.send(room, {
        type: 'm.room.member',
        sender: session.userId,
        stateKey: session.userId,
        content: { membership: 'join', ...Object.fromEntries(profile) },
      });
    }
    return { json: {} };
  });
}

function addAccountData(router: Router, world: World): void {
  for (const base of [`${V3}/user/{userId}/account_data`, `${V3}/user/{userId}/rooms/{roomId}/account_data`]) {
    const scope = (request: RouteRequest): string => (base.includes('{roomId}') ? request.param('roomId') : '');
    router.on('PUT', `${base}/{type}`, (request, session) => {
      const account = own(world, request, session);
      world.accounts.setAccountData(account, { roomId: scope(request), type: request.param('type') }, request.json());
      return { json: {} };
    });
    router.on('GET', `${base}/{type}`, (request, session) => {
      const data = own(world, request, session).accountData.get(scope(request))?.get(request.param('type'));
      if (data === undefined) throw notFound('Account data not found');
      return { json: data.content };
    });
  }
}

function addDevices(router: Router, world: World): void {
  const view = (account: Account, deviceId: string): JsonObject => {
    const device = account.devices.get(deviceId);
    if (device === undefined) throw notFound('No device found');
    return {
      device_id: deviceId,
      display_name: device.displayName,
      last_seen_ip: '127.0.0.1',
      last_seen_ts: device.lastSeenMs,
      user_id: account.userId,
    };
  };
  router.on('GET', `${V3}/devices`, (_request, session) => {
    const account = world.accounts.need(session.userId);
    return { json: { devices: [...account.devices.keys()].map((id) => view(account, id)) } };
  });
  router.on('GET', `${V3}/devices/{deviceId}`, (request, session) => ({
    json: view(world.accounts.need(session.userId), request.param('deviceId')),
  }));
  router.on('PUT', `${V3}/devices/{deviceId}`, (request, session) => {
    const device = world.accounts.need(session.userId).devices.get(request.param('deviceId'));
    if (device === undefined) throw notFound('No device found');
    device.displayName = stringAt(request.json(), 'display_name') ?? device.displayName;
    world.deviceKeys.changed(session.userId);
    return { json: {} };
  });
  const remove = (request: RouteRequest, session: Session, ids: readonly string[]): Reply => {
    const body = request.json();
    world.userAuth.needPassword(world.accounts.need(session.userId), body);
    for (const id of ids) world.accounts.removeDevice(session.userId, id);
    return { json: {} };
  };
  router.on('DELETE', `${V3}/devices/{deviceId}`, (request, session) =>
    remove(request, session, [request.param('deviceId')]),
  );
  router.on('POST', `${V3}/delete_devices`, (request, session) => {
    const ids = listAt(request.json(), 'devices').filter((id) => typeof id === 'string');
    return remove(request, session, ids);
  });
}

/** The filter of a /sync or /messages call: JSON in place, or the id of a stored one. */
export function filterDefinition(account: Account, text: string | null): JsonObject {
  if (text === null || text === '') return {};
  if (!text.startsWith('{')) return account.filters[Number(text)] ?? {};
  const parsed: unknown = JSON.parse(text);
  return isObject(parsed) ? parsed : {};
}
