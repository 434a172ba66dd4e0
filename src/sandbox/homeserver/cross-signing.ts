import { isObject, type JsonObject } from '../../util/json.ts';
import { type DeviceKeys, mergeSignatures } from './device-keys.ts';
import { objectAt } from './json-read.ts';
import { badParam } from './matrix-error.ts';

const KINDS = ['master_key', 'self_signing_key', 'user_signing_key'] as const;
type Kind = (typeof KINDS)[number];

/** Cross-signing keys of all users. One per homeserver. */
export class CrossSigning {
  readonly #deviceKeys: DeviceKeys;
  readonly #keys = new Map<string, Partial<Record<Kind, JsonObject>>>();

  constructor(deviceKeys: DeviceKeys) {
    this.#deviceKeys = deviceKeys;
  }

  /** A first upload and a repetition need no password (MSC3967). */
  needsAuth(userId: string, body: JsonObject): boolean {
    const known = this.#keys.get(userId);
    if (known?.master_key === undefined) return false;
    return KINDS.some((kind) => {
      const next = body[kind];
      return isObject(next) && JSON.stringify(next.keys) !== JSON.stringify(known[kind]?.keys);
    });
  }

  /** Throws M_INVALID_PARAM for a master key that is no ed25519 public key. */
  check(body: JsonObject): void {
    const master = body.master_key;
    if (!isObject(master)) return;
    const [key] = Object.values(objectAt(master, 'keys'));
    if (typeof key !== 'string' || Buffer.from(key, 'base64').length !== 32) throw badParam('Invalid master key');
  }

  upload(userId: string, body: JsonObject): void {
    const known = { ...this.#keys.get(userId) };
    for (const kind of KINDS) {
      const next = body[kind];
      if (!isObject(next)) continue;
      const same = JSON.stringify(next.keys) === JSON.stringify(known[kind]?.keys);
      known[kind] = same && known[kind] ? mergeSignatures(known[kind], next) : next;
    }
    this.#keys.set(userId, known);
    this.#deviceKeys.changed(userId);
  }

  key(userId: string, kind: Kind): JsonObject | null {
    return this.#keys.get(userId)?.[kind] ?? null;
  }

  /** Adds signatures to devices (by device id) and to cross-signing keys (by public key). */
  sign(body: JsonObject): void {
    for (const userId of Object.keys(body)) {
      const targets = objectAt(body, userId);
      for (const id of Object.keys(targets)) this.#signOne(userId, id, objectAt(targets, id));
      this.#deviceKeys.changed(userId);
    }
  }

  #signOne(userId: string, id: string, signed: JsonObject): void {
    const known = this.#keys.get(userId);
    const kind = KINDS.find((candidate) => Object.values(objectAt(known?.[candidate] ?? {}, 'keys')).includes(id));
    const key = kind === undefined ? undefined : known?.[kind];
    if (known !== undefined && kind !== undefined && key !== undefined) {
      this.#keys.set(userId, { ...known, [kind]: mergeSignatures(key, signed) });
    } else {
      this.#deviceKeys.sign(userId, id, signed);
    }
  }
}
