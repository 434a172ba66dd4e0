import type { JsonObject } from '../../../util/json.ts';
import { needString, objectAt, stringsAt } from '../json-read.ts';
import type { Router } from '../router.ts';
import { deviceListChanges } from '../sync.ts';
import { parsePosition } from '../sync-token.ts';
import type { Session } from '../types.ts';
import type { World } from '../world.ts';

const V3 = '/_matrix/client/v3';

/** Device keys, cross-signing, messages to devices. */
export function addKeyRoutes(router: Router, world: World): void {
  router.on('POST', `${V3}/keys/upload`, (request, session) => ({
    json: { one_time_key_counts: world.deviceKeys.upload(session.userId, session.deviceId, request.json()) },
  }));
  router.on('POST', `${V3}/keys/query`, (request, session) => ({
    json: queryKeys(world, session, objectAt(request.json(), 'device_keys')),
  }));
  router.on('POST', `${V3}/keys/claim`, (request) => ({
    json: { one_time_keys: claimKeys(world, objectAt(request.json(), 'one_time_keys')), failures: {} },
  }));
  router.on('GET', `${V3}/keys/changes`, (request, session) => {
    const [from, to] = ['from', 'to'].map((name) => parsePosition(request.query.get(name) ?? ''));
    const range = { fromPos: from ?? 0, toPos: to ?? world.hub.pos };
    return { json: deviceListChanges(world, session.userId, range) ?? { changed: [], left: [] } };
  });
  for (const path of [`${V3}/keys/device_signing/upload`, '/_matrix/client/unstable/keys/device_signing/upload']) {
    router.on('POST', path, (request, session) => {
      const body = request.json();
      if (world.tuning.family === 'conduit' || world.crossSigning.needsAuth(session.userId, body)) {
        world.userAuth.needPassword(world.accounts.need(session.userId), body);
      }
      world.crossSigning.check(body);
      world.crossSigning.upload(session.userId, body);
      return { json: {} };
    });
  }
  router.on('POST', `${V3}/keys/signatures/upload`, (request) => {
    world.crossSigning.sign(request.json());
    return { json: { failures: {} } };
  });
  router.on('PUT', `${V3}/sendToDevice/{type}/{txn}`, (request, session) => {
    const body = request.json();
    const json = world.transactions.once(session, request.path, () => {
      sendToDevices(world, { type: request.param('type'), sender: session.userId }, objectAt(body, 'messages'));
      return {};
    });
    return { json };
  });
}

function queryKeys(world: World, session: Session, wanted: JsonObject): JsonObject {
  const deviceKeys: Record<string, JsonObject> = {};
  const masterKeys: Record<string, JsonObject> = {};
  const selfSigningKeys: Record<string, JsonObject> = {};
  const userSigningKeys: Record<string, JsonObject> = {};
  for (const userId of Object.keys(wanted)) {
    if (world.accounts.find(userId) === null) continue;
    const ids = stringsAt(wanted, userId) ?? [];
    const devices = world.deviceKeys.devices(userId).filter((id) => ids.length === 0 || ids.includes(id));
    deviceKeys[userId] = Object.fromEntries(devices.map((id) => [id, describeDevice(world, userId, id)]));
    const master = world.crossSigning.key(userId, 'master_key');
    const selfSigning = world.crossSigning.key(userId, 'self_signing_key');
    const userSigning = userId === session.userId ? world.crossSigning.key(userId, 'user_signing_key') : null;
    if (master) masterKeys[userId] = master;
    if (selfSigning) selfSigningKeys[userId] = selfSigning;
    if (userSigning) userSigningKeys[userId] = userSigning;
  }
  return {
    device_keys: deviceKeys,
    failures: {},
    master_keys: masterKeys,
    self_signing_keys: selfSigningKeys,
    user_signing_keys: userSigningKeys,
  };
}

function describeDevice(world: World, userId: string, deviceId: string): JsonObject {
  const name = world.accounts.need(userId).devices.get(deviceId)?.displayName ?? null;
  const identity = world.deviceKeys.identity(userId, deviceId) ?? {};
  return { ...identity, unsigned: name === null ? {} : { device_display_name: name } };
}

function claimKeys(world: World, wanted: JsonObject): JsonObject {
  const claimed: Record<string, Record<string, JsonObject>> = {};
  for (const userId of Object.keys(wanted)) {
    const devices = objectAt(wanted, userId);
    for (const deviceId of Object.keys(devices)) {
      const key = world.deviceKeys.claim(userId, deviceId, needString(devices, deviceId));
      if (key !== null) claimed[userId] = { ...claimed[userId], [deviceId]: key };
    }
  }
  return claimed;
}

function sendToDevices(
  world: World,
  envelope: { readonly type: string; readonly sender: string },
  messages: JsonObject,
): void {
  for (const userId of Object.keys(messages)) {
    const devices = objectAt(messages, userId);
    const known = [...(world.accounts.find(userId)?.devices.keys() ?? [])];
    for (const target of Object.keys(devices)) {
      const content = objectAt(devices, target);
      for (const deviceId of target === '*' ? known : known.filter((id) => id === target)) {
        world.toDevice.put(userId, deviceId, { ...envelope, content });
      }
    }
  }
}
