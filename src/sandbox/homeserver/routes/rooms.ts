import type { JsonObject } from '../../../util/json.ts';
import { createRoom, memberContent } from '../create-room.ts';
import { needString, stringAt } from '../json-read.ts';
import { MatrixError } from '../matrix-error.ts';
import type { Reply, RouteRequest, Router } from '../router.ts';
import type { Membership, Session } from '../types.ts';
import type { World } from '../world.ts';

const V3 = '/_matrix/client/v3';

/** Creation, membership and aliases. */
export function addRoomRoutes(router: Router, world: World): void {
  router.on('POST', `${V3}/createRoom`, (request, session) => {
    const body = request.json();
    const room = createRoom(world, session.userId, body);
    const alias = stringAt(body, 'room_alias_name');
    return {
      json: { room_id: room.roomId, ...(alias === null ? {} : { room_alias: `#${alias}:${world.serverName}` }) },
    };
  });
  router.on('GET', `${V3}/joined_rooms`, (_request, session) => ({
    json: { joined_rooms: world.rooms.joined(session.userId).map((room) => room.roomId) },
  }));
  router.on('GET', '/_matrix/client/v1/room_summary/{room}', (request, session) => {
    const room = world.rooms.need(request.param('room'));
    const membership = room.membership(session.userId);
    const joinRule = room.state('m.room.join_rules')?.content.join_rule ?? 'invite';
    if (joinRule !== 'public' && membership !== 'invite' && membership !== 'join')
      throw new MatrixError(404, 'M_NOT_FOUND', 'Room not found or not accessible');
    return { json: { room_id: room.roomId, join_rule: joinRule, ...(membership === null ? {} : { membership }) } };
  });
  addMembership(router, world);
  addAliases(router, world);
}

function addMembership(router: Router, world: World): void {
  const join = (request: RouteRequest, session: Session): Reply => {
    const name = request.param('room');
    const roomId = name.startsWith('#') ? world.rooms.resolve(name) : name;
    const room = world.rooms.find(roomId);
    if (room === null)
      throw new MatrixError(
        404,
        'M_UNKNOWN',
        "Can't join remote room because no servers that are in the room have been provided.",
      );
    if (!room.isJoined(session.userId)) {
      setMembership(world, { roomId, target: session.userId, by: session.userId, content: { membership: 'join' } });
    }
    return { json: { room_id: roomId } };
  };
  router.on('POST', `${V3}/join/{room}`, join);
  router.on('POST', `${V3}/rooms/{room}/join`, join);
  router.on('POST', `${V3}/rooms/{room}/leave`, (request, session) => {
    const room = world.rooms.need(request.param('room'));
    if (room.membership(session.userId) === 'leave') return { json: {} };
    const roomId = room.roomId;
    setMembership(world, { roomId, target: session.userId, by: session.userId, content: { membership: 'leave' } });
    return { json: {} };
  });
  router.on('POST', `${V3}/rooms/{room}/forget`, () => ({ json: {} }));
  const actions: readonly (readonly [string, Membership])[] = [
    ['invite', 'invite'],
    ['kick', 'leave'],
    ['ban', 'ban'],
    ['unban', 'leave'],
  ];
  for (const [action, membership] of actions) {
    router.on('POST', `${V3}/rooms/{room}/${action}`, (request, session) => {
      const body = request.json();
      const reason = stringAt(body, 'reason');
      const content = { membership, ...(reason === null ? {} : { reason }) };
      const target = needString(body, 'user_id');
      setMembership(world, { roomId: request.param('room'), target, by: session.userId, content });
      return { json: {} };
    });
  }
}

interface MembershipChange {
  readonly roomId: string;
  readonly target: string;
  readonly by: string;
  readonly content: JsonObject;
}

function setMembership(world: World, { roomId, target, by, content }: MembershipChange): void {
  const withProfile = content.membership === 'join' || content.membership === 'invite';
  world.rooms.send(world.rooms.need(roomId), {
    type: 'm.room.member',
    sender: by,
    stateKey: target,
    content: withProfile ? memberContent(world, target, content) : content,
  });
}

function addAliases(router: Router, world: World): void {
  const path = `${V3}/directory/room/{alias}`;
  router.onOpen('GET', path, (request) => ({
    json: { room_id: world.rooms.resolve(request.param('alias')), servers: [world.serverName] },
  }));
  router.on('PUT', path, (request, session) => {
    const room = world.rooms.need(needString(request.json(), 'room_id'));
    world.rooms.setAlias(request.param('alias'), room.roomId, session.userId);
    return { json: {} };
  });
  router.on('DELETE', path, (request, session) => {
    world.rooms.removeAlias(request.param('alias'), session.userId);
    return { json: {} };
  });
  router.on('GET', `${V3}/rooms/{room}/aliases`, (request, session) => ({
    json: { aliases: world.rooms.aliases(world.rooms.needMember(request.param('room'), session.userId).roomId) },
  }));
}
