import { isObject, type JsonObject } from '../../util/json.ts';
import { listAt, objectAt, stringAt } from './json-read.ts';
import { badParam, MatrixError } from './matrix-error.ts';
import { hasCreators } from './power.ts';
import type { Room } from './room.ts';
import type { NewEvent } from './types.ts';
import type { World } from './world.ts';

const PRESETS: Readonly<Record<string, { readonly joinRule: string; readonly guests: string }>> = {
  private_chat: { joinRule: 'invite', guests: 'can_join' },
  trusted_private_chat: { joinRule: 'invite', guests: 'can_join' },
  public_chat: { joinRule: 'public', guests: 'forbidden' },
};

/** Makes a room as POST /createRoom describes it; its events come in the order of the specification. */
export function createRoom(world: World, creator: string, body: JsonObject): Room {
  const presetName = stringAt(body, 'preset') ?? (body.visibility === 'public' ? 'public_chat' : 'private_chat');
  const preset = PRESETS[presetName];
  if (preset === undefined) throw badParam(`'${presetName}' is not a valid preset`);
  const localAlias = stringAt(body, 'room_alias_name');
  const alias = localAlias === null ? null : `#${localAlias}:${world.serverName}`;
  if (alias !== null && !world.rooms.aliasFree(alias)) {
    throw new MatrixError(400, 'M_ROOM_IN_USE', 'Room alias already taken');
  }
  const room = world.rooms.open(stringAt(body, 'room_version'));
  const invited = listAt(body, 'invite').filter((id) => typeof id === 'string');
  const trusted = presetName === 'trusted_private_chat' ? invited : [];
  const creators = hasCreators(room.version);
  const levels: JsonObject = {
    ...defaultPowerLevels(creators ? [] : [creator, ...trusted], presetName),
    ...objectAt(body, 'power_level_content_override'),
  };
  if (creators && creator in objectAt(levels, 'users')) {
    throw new MatrixError(400, 'M_UNKNOWN', `Creator user ${creator} must not appear in content.users`);
  }
  const initial = listAt(body, 'initial_state').filter(isObject);
  const state = (type: string, content: JsonObject, stateKey = ''): NewEvent => ({
    type,
    sender: creator,
    stateKey,
    content,
  });
  const given = new Set(initial.map((event) => stringAt(event, 'type')));
  const events: NewEvent[] = [
    state('m.room.create', {
      room_version: room.version,
      ...(creators && trusted.length > 0 ? { additional_creators: trusted } : {}),
      ...objectAt(body, 'creation_content'),
    }),
    state('m.room.member', memberContent(world, creator, { membership: 'join' }), creator),
    state('m.room.power_levels', levels),
  ];
  if (alias !== null) events.push(state('m.room.canonical_alias', { alias }));
  if (!given.has('m.room.join_rules')) events.push(state('m.room.join_rules', { join_rule: preset.joinRule }));
  if (!given.has('m.room.history_visibility')) {
    events.push(state('m.room.history_visibility', { history_visibility: 'shared' }));
  }
  if (!given.has('m.room.guest_access')) events.push(state('m.room.guest_access', { guest_access: preset.guests }));
  for (const event of initial) {
    events.push(state(stringAt(event, 'type') ?? '', objectAt(event, 'content'), stringAt(event, 'state_key') ?? ''));
  }
  const [name, topic] = [stringAt(body, 'name'), stringAt(body, 'topic')];
  if (name !== null) events.push(state('m.room.name', { name }));
  if (topic !== null) events.push(state('m.room.topic', { topic }));
  for (const event of events) world.rooms.send(room, event);
  if (alias !== null) world.rooms.setAlias(alias, room.roomId, creator);
  const extra = body.is_direct === true ? { is_direct: true } : {};
  for (const userId of invited) {
    world.rooms.send(
      room,
      state('m.room.member', memberContent(world, userId, { membership: 'invite', ...extra }), userId),
    );
  }
  return room;
}

/** A membership with that user's profile, as servers write it. */
export function memberContent(world: World, userId: string, content: JsonObject): JsonObject {
  return { ...content, ...Object.fromEntries(world.accounts.find(userId)?.profile ?? []) };
}

function defaultPowerLevels(admins: readonly string[], preset: string): JsonObject {
  return {
    users: Object.fromEntries(admins.map((userId) => [userId, 100])),
    users_default: 0,
    events: {
      'm.room.name': 50,
      'm.room.power_levels': 100,
      'm.room.history_visibility': 100,
      'm.room.canonical_alias': 50,
      'm.room.avatar': 50,
      'm.room.tombstone': 100,
      'm.room.server_acl': 100,
      'm.room.encryption': 100,
    },
    events_default: 0,
    state_default: 50,
    ban: 50,
    kick: 50,
    redact: 50,
    invite: preset === 'public_chat' ? 50 : 0,
    historical: 100,
  };
}
