import type { NewRoom } from '../../relay/ports.ts';
import type { JsonObject } from '../../util/json.ts';
import { RelayError } from '../../util/relay-error.ts';
import { type MatrixApi, path } from '../api.ts';
import { toRelayError } from '../errors.ts';
import { HttpFailure } from '../http.ts';
import { asString } from '../json-read.ts';

const MEGOLM = 'm.megolm.v1.aes-sha2';

/**
 * Creates a private room, or finds the one that an earlier, interrupted try has created: its alias makes the request
 * idempotent, which `/createRoom` is not.
 * @throws RelayError MATRIX_* with its retry policy
 */
export async function createRoom(api: MatrixApi, room: NewRoom, serverName: string): Promise<string> {
  const body: JsonObject = {
    preset: 'trusted_private_chat',
    visibility: 'private',
    room_alias_name: room.aliasLocalpart,
    name: room.name,
    topic: room.topic,
    invite: [...room.invite],
    is_direct: true,
    initial_state: room.encrypted ? [{ type: 'm.room.encryption', state_key: '', content: { algorithm: MEGOLM } }] : [],
  };
  try {
    return roomIdOf(await api.request('POST', path`/createRoom`, { body }));
  } catch (error) {
    if (!(error instanceof HttpFailure) || error.errcode !== 'M_ROOM_IN_USE')
      throw toRelayError(error, 'create a room');
    const alias = `#${room.aliasLocalpart}:${serverName}`;
    const answer = await api.request('GET', path`/directory/room/${alias}`).catch((second: unknown) => {
      throw toRelayError(second, `look up ${alias}`);
    });
    return roomIdOf(answer);
  }
}

/** Sets a piece of room state. @throws RelayError MATRIX_* */
export async function setRoomState(
  api: MatrixApi,
  state: { readonly roomId: string; readonly type: string; readonly content: JsonObject },
): Promise<string> {
  try {
    const answer = await api.request('PUT', path`/rooms/${state.roomId}/state/${state.type}/`, { body: state.content });
    return asString(answer.event_id) ?? '';
  } catch (error) {
    throw toRelayError(error, `set ${state.type}`);
  }
}

function roomIdOf(answer: JsonObject): string {
  const roomId = asString(answer.room_id);
  if (roomId === null) throw new RelayError('MATRIX_REFUSED', 'The homeserver named no room');
  return roomId;
}
