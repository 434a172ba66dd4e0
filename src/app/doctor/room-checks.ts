import type { RelayConfig } from '../../config/types.ts';
import type { Credentials } from '../../matrix/auth/credentials-file.ts';
import { HttpFailure, type HttpSend } from '../../matrix/http.ts';
import { errorText } from '../../util/relay-error.ts';
import { type Finding, findingsOf } from './finding.ts';

type Json = Readonly<Record<string, unknown>>;
type Ask = (path: string) => Promise<Json>;

export interface RoomCheckOptions {
  readonly http: HttpSend;
  readonly timeoutMs: number;
  readonly userId: string;
}

/** Where aliases lead, whether the account is in the rooms or can get there, their encryption, and whether it may write. */
export async function checkRooms(
  credentials: Credentials,
  { rooms, matrix }: RelayConfig,
  { http, timeoutMs, userId }: RoomCheckOptions,
): Promise<Finding[]> {
  const { homeserver, accessToken: token } = credentials;
  const ask: Ask = (path) => http({ method: 'GET', url: `${homeserver}/_matrix/client${path}`, token, timeoutMs });
  const joined = (await ask('/v3/joined_rooms')).joined_rooms;
  const member = new Set(Array.isArray(joined) ? joined.map(String) : []);
  const canEncrypt = matrix.e2ee.enabled !== 'off';
  return Promise.all(rooms.map(({ id }) => checkRoom(id, { ask, member, userId, canEncrypt })));
}

interface RoomContext {
  readonly ask: Ask;
  readonly member: ReadonlySet<string>;
  readonly userId: string;
  readonly canEncrypt: boolean;
}

async function checkRoom(id: string, context: RoomContext): Promise<Finding> {
  const finding = findingsOf('matrix');
  try {
    const alias = id.startsWith('#') ? await context.ask(`/v3/directory/room/${encodeURIComponent(id)}`) : null;
    const roomId = alias === null ? id : String(alias.room_id);
    const name = alias === null ? id : `${id} (${roomId})`;
    return await (context.member.has(roomId) ? joinedRoom : otherRoom)(roomId, name, context);
  } catch (error) {
    return finding('warning', `${id}: ${errorText(error)}`, 'check the id or alias');
  }
}

async function joinedRoom(roomId: string, name: string, { ask, userId, canEncrypt }: RoomContext): Promise<Finding> {
  const finding = findingsOf('matrix');
  const state = (type: string, query = ''): Promise<Json | null> =>
    orNone(ask(`/v3/rooms/${encodeURIComponent(roomId)}/state/${type}${query}`));
  const isEncrypted = (await state('m.room.encryption')) !== null;
  const words = `${name}: joined, ${isEncrypted ? 'encrypted' : 'not encrypted'}`;
  if (isEncrypted && !canEncrypt)
    return finding('warning', `${words}, but encryption is switched off`, 'remove matrix.e2ee.enabled: false');
  const levels = await state('m.room.power_levels');
  const type = isEncrypted ? 'm.room.encrypted' : 'm.room.message';
  if (levels === null || maySend(levels, userId, type)) return finding('ok', words);
  if (isCreator(await state('m.room.create', '?format=event'), userId)) return finding('ok', words);
  return finding('warning', `${words}, but this account may not write`, 'raise its power level in the room');
}

/** Of a room the account is not in, the server may tell what it tells everybody. */
async function otherRoom(roomId: string, name: string, { ask }: RoomContext): Promise<Finding> {
  const finding = findingsOf('matrix');
  const id = encodeURIComponent(roomId);
  const summary =
    (await orNone(ask(`/v1/room_summary/${id}`), NOT_TOLD)) ??
    (await orNone(ask(`/unstable/im.nheko.summary/rooms/${id}/summary`), NOT_TOLD));
  if (summary?.membership === 'ban')
    return finding('warning', `${name}: this account is banned`, 'have the ban lifted, or take another room');
  if (summary?.membership === 'invite') return finding('ok', `${name}: invited; the relay joins when it starts`);
  if (summary?.join_rule === 'public') return finding('ok', `${name}: public; the relay joins when it starts`);
  return finding('warning', `${name}: not joined`, 'invite the account; the relay joins by itself');
}

/** The server has no such call, or keeps the room to itself. */
const NOT_TOLD: readonly number[] = [400, 403, 404, 405];

/** null: there is no such thing. */
async function orNone(answer: Promise<Json>, statuses: readonly number[] = [404]): Promise<Json | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof HttpFailure && statuses.includes(error.status)) return null;
    throw error;
  }
}

function maySend(levels: Json, userId: string, type: string): boolean {
  const number = (value: unknown): number | null => (typeof value === 'number' ? value : null);
  const within = (value: unknown, key: string): number | null =>
    typeof value === 'object' && value !== null ? number(Reflect.get(value, key)) : null;
  const own = within(levels.users, userId) ?? number(levels.users_default) ?? 0;
  const needed = within(levels.events, type) ?? number(levels.events_default) ?? 0;
  return own >= needed;
}

/** From room version 12 on, its creators stand above all levels and are not listed there. */
function isCreator(create: Json | null, userId: string): boolean {
  const content = typeof create?.content === 'object' && create.content !== null ? create.content : {};
  const version = Number('room_version' in content ? content.room_version : 1);
  const others = 'additional_creators' in content ? content.additional_creators : [];
  return version >= 12 && (create?.sender === userId || (Array.isArray(others) && others.includes(userId)));
}
