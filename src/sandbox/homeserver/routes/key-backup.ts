import type { JsonObject } from '../../../util/json.ts';
import { objectAt } from '../json-read.ts';
import type { RouteRequest, Router } from '../router.ts';
import type { World } from '../world.ts';

const BASE = '/_matrix/client/v3/room_keys';

/** Server-side key backup. */
export function addKeyBackupRoutes(router: Router, world: World): void {
  const { backups } = world;
  router.on('POST', `${BASE}/version`, (request, session) => ({
    json: { version: backups.create(session.userId, request.json()) },
  }));
  router.on('GET', `${BASE}/version`, (_request, session) => ({ json: backups.describe(session.userId) }));
  router.on('GET', `${BASE}/version/{version}`, (request, session) => ({
    json: backups.describe(session.userId, request.param('version')),
  }));
  router.on('PUT', `${BASE}/version/{version}`, (request, session) => {
    backups.update(session.userId, request.param('version'), request.json());
    return { json: {} };
  });
  router.on('DELETE', `${BASE}/version/{version}`, (request, session) => {
    backups.remove(session.userId, request.param('version'));
    return { json: {} };
  });
  for (const path of [`${BASE}/keys`, `${BASE}/keys/{room}`, `${BASE}/keys/{room}/{session}`]) {
    const place = (request: RouteRequest): { roomId?: string; sessionId?: string } => ({
      ...(path.includes('{room}') ? { roomId: request.param('room') } : {}),
      ...(path.includes('{session}') ? { sessionId: request.param('session') } : {}),
    });
    const version = (request: RouteRequest): string => request.query.get('version') ?? '';
    router.on('PUT', path, (request, session) => {
      const sessions = readSessions(place(request), request.json());
      return { json: backups.put(session.userId, version(request), sessions) };
    });
    router.on('GET', path, (request, session) => ({
      json: backups.get(session.userId, version(request), place(request)),
    }));
    router.on('DELETE', path, (request, session) => ({
      json: backups.clear(session.userId, version(request), place(request)),
    }));
  }
}

function readSessions(
  place: { readonly roomId?: string; readonly sessionId?: string },
  body: JsonObject,
): ReadonlyMap<string, ReadonlyMap<string, JsonObject>> {
  if (place.roomId === undefined) {
    const rooms = objectAt(body, 'rooms');
    return new Map(Object.keys(rooms).map((roomId) => [roomId, sessionMap(objectAt(rooms, roomId))]));
  }
  if (place.sessionId === undefined) return new Map([[place.roomId, sessionMap(body)]]);
  return new Map([[place.roomId, new Map([[place.sessionId, body]])]]);
}

function sessionMap(body: JsonObject): ReadonlyMap<string, JsonObject> {
  const sessions = objectAt(body, 'sessions');
  return new Map(Object.keys(sessions).map((id) => [id, objectAt(sessions, id)]));
}
