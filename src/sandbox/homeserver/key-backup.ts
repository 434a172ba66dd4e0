import type { JsonObject } from '../../util/json.ts';
import { numberAt } from './json-read.ts';
import { MatrixError, notFound } from './matrix-error.ts';

interface Backup {
  readonly version: string;
  info: JsonObject;
  etag: number;
  /** Room id, then session id. */
  readonly rooms: Map<string, Map<string, JsonObject>>;
}

interface Place {
  readonly roomId?: string;
  readonly sessionId?: string;
}

/** Server-side key backups of all users. One per homeserver. */
export class KeyBackups {
  readonly #backups = new Map<string, Map<string, Backup>>();
  readonly #lastVersions = new Map<string, number>();

  create(userId: string, info: JsonObject): string {
    const backups = this.#backups.get(userId) ?? new Map<string, Backup>();
    this.#lastVersions.set(userId, (this.#lastVersions.get(userId) ?? 0) + 1);
    const version = String(this.#lastVersions.get(userId));
    this.#backups.set(userId, backups);
    backups.set(version, { version, info, etag: 0, rooms: new Map() });
    return version;
  }

  describe(userId: string, version?: string): JsonObject {
    const backup = this.#need(userId, version);
    return { ...backup.info, version: backup.version, ...this.#size(backup) };
  }

  update(userId: string, version: string, info: JsonObject): void {
    this.#need(userId, version).info = info;
  }

  remove(userId: string, version: string): void {
    this.#need(userId, version);
    this.#backups.get(userId)?.delete(version);
  }

  put(userId: string, version: string, sessions: ReadonlyMap<string, ReadonlyMap<string, JsonObject>>): JsonObject {
    const backup = this.#need(userId, version);
    if (this.#need(userId).version !== version) {
      // Synapse names the version that was asked for here, not the newest one.
      throw new MatrixError(403, 'M_WRONG_ROOM_KEYS_VERSION', 'Wrong backup version.', { current_version: version });
    }
    for (const [roomId, keys] of sessions) {
      const room = backup.rooms.get(roomId) ?? new Map<string, JsonObject>();
      backup.rooms.set(roomId, room);
      for (const [sessionId, key] of keys) if (better(key, room.get(sessionId))) room.set(sessionId, key);
    }
    backup.etag += 1;
    return this.#size(backup);
  }

  get(userId: string, version: string, place: Place): JsonObject {
    const { rooms } = this.#need(userId, version);
    if (place.roomId === undefined) {
      return {
        rooms: Object.fromEntries([...rooms].map(([id, keys]) => [id, { sessions: Object.fromEntries(keys) }])),
      };
    }
    const sessions = rooms.get(place.roomId) ?? new Map<string, JsonObject>();
    if (place.sessionId === undefined) return { sessions: Object.fromEntries(sessions) };
    const session = sessions.get(place.sessionId);
    if (session === undefined) throw notFound('No room_keys found');
    return session;
  }

  clear(userId: string, version: string, place: Place): JsonObject {
    const backup = this.#need(userId, version);
    if (place.roomId === undefined) backup.rooms.clear();
    else if (place.sessionId === undefined) backup.rooms.delete(place.roomId);
    else backup.rooms.get(place.roomId)?.delete(place.sessionId);
    backup.etag += 1;
    return this.#size(backup);
  }

  #need(userId: string, version?: string): Backup {
    const backups = this.#backups.get(userId);
    const backup = version === undefined ? [...(backups?.values() ?? [])].at(-1) : backups?.get(version);
    if (backup === undefined)
      throw notFound(version === undefined ? 'No current backup version' : 'Unknown backup version');
    return backup;
  }

  #size(backup: Backup): JsonObject {
    const count = [...backup.rooms.values()].reduce((sum, keys) => sum + keys.size, 0);
    return { count, etag: String(backup.etag) };
  }
}

/** The specification's order: verified, then the earlier first message, then fewer forwards. */
function better(next: JsonObject, old: JsonObject | undefined): boolean {
  if (old === undefined) return true;
  if (next.is_verified !== old.is_verified) return next.is_verified === true;
  const [nextFirst, oldFirst] = [numberAt(next, 'first_message_index') ?? 0, numberAt(old, 'first_message_index') ?? 0];
  if (nextFirst !== oldFirst) return nextFirst < oldFirst;
  return (numberAt(next, 'forwarded_count') ?? 0) < (numberAt(old, 'forwarded_count') ?? 0);
}
