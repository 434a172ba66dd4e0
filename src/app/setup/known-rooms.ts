import type { Credentials } from '../../matrix/auth/credentials-file.ts';
import { toRelayError } from '../../matrix/errors.ts';
import { createHttp } from '../../matrix/http.ts';
import { asObject } from '../../matrix/json-read.ts';
import { systemClock } from '../../util/clock.ts';
import type { JsonObject } from '../../util/json.ts';

const TIMEOUT_MS = 15_000;
/** Somebody's everyday account may be in hundreds: a list of those helps nobody. */
const MAX_ROOMS = 20;

export interface KnownRoom {
  readonly id: string;
  /** For people; null when it has none. */
  readonly name: string | null;
  /** Canonical one; null when it has none. */
  readonly alias: string | null;
}

/** Rooms the account is in, the first twenty. @throws RelayError MATRIX_* */
export async function knownRooms({ homeserver, accessToken: token }: Credentials): Promise<readonly KnownRoom[]> {
  const http = createHttp(systemClock);
  const ask = (path: string): Promise<JsonObject> =>
    http({ method: 'GET', url: `${homeserver}/_matrix/client/v3${path}`, token, timeoutMs: TIMEOUT_MS });
  const state = async (id: string, type: string): Promise<JsonObject> => {
    // A room without that state answers 404, which says as much as an empty answer.
    return asObject(await ask(`/rooms/${encodeURIComponent(id)}/state/${type}`).catch(() => ({})));
  };
  try {
    const { joined_rooms: joined } = await ask('/joined_rooms');
    const ids = Array.isArray(joined) ? joined.map(String).slice(0, MAX_ROOMS) : [];
    return await Promise.all(
      ids.map(async (id) => {
        const [{ name }, { alias }] = await Promise.all([
          state(id, 'm.room.name'),
          state(id, 'm.room.canonical_alias'),
        ]);
        return { id, name: textOf(name), alias: textOf(alias) };
      }),
    );
  } catch (error) {
    throw toRelayError(error, 'list the rooms');
  }
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
