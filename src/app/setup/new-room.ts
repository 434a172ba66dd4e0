import type { Credentials } from '../../matrix/auth/credentials-file.ts';
import { toRelayError } from '../../matrix/errors.ts';
import { createHttp } from '../../matrix/http.ts';
import { systemClock } from '../../util/clock.ts';
import { RelayError } from '../../util/relay-error.ts';

const TIMEOUT_MS = 15_000;
const ENCRYPTION = { type: 'm.room.encryption', state_key: '', content: { algorithm: 'm.megolm.v1.aes-sha2' } };

/** Makes a private room and invites people to it. @returns its id @throws RelayError MATRIX_* */
export async function newRoom(
  session: Credentials,
  room: { readonly name: string; readonly invite: readonly string[]; readonly encrypted: boolean },
): Promise<string> {
  try {
    const answer = await createHttp(systemClock)({
      method: 'POST',
      url: `${session.homeserver}/_matrix/client/v3/createRoom`,
      token: session.accessToken,
      body: {
        preset: 'private_chat',
        name: room.name,
        invite: [...room.invite],
        initial_state: room.encrypted ? [ENCRYPTION] : [],
      },
      timeoutMs: TIMEOUT_MS,
    });
    if (typeof answer.room_id === 'string') return answer.room_id;
  } catch (error) {
    throw toRelayError(error, 'make the room');
  }
  throw new RelayError('MATRIX_FAILED', 'The homeserver made a room without an id');
}
