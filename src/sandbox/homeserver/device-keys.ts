import { isObject, type JsonObject, type JsonValue } from '../../util/json.ts';
import type { Hub } from './hub.ts';
import { objectAt } from './json-read.ts';
import { MatrixError } from './matrix-error.ts';

interface KeysOfDevice {
  identity: JsonObject | null;
  readonly oneTime: Map<string, JsonValue>;
  /** By algorithm. */
  readonly fallback: Map<string, { readonly id: string; readonly key: JsonValue; used: boolean }>;
}

/** Device keys, one-time keys and fallback keys. One per homeserver. Invariant: a one-time key is given out once. */
export class DeviceKeys {
  readonly #hub: Hub;
  readonly #keys = new Map<string, Map<string, KeysOfDevice>>();
  readonly #changes: { readonly pos: number; readonly userId: string }[] = [];

  constructor(hub: Hub) {
    this.#hub = hub;
  }

  upload(userId: string, deviceId: string, body: JsonObject): JsonObject {
    const keys = this.#need(userId, deviceId);
    for (const [id, key] of Object.entries(objectAt(body, 'one_time_keys'))) this.#addOneTime(keys, id, key ?? null);
    const fallback = { ...objectAt(body, 'org.matrix.msc2732.fallback_keys'), ...objectAt(body, 'fallback_keys') };
    for (const [id, key] of Object.entries(fallback)) {
      keys.fallback.set(algorithmOf(id), { id, key: key ?? null, used: false });
    }
    const identity = body.device_keys;
    if (isObject(identity)) {
      if (identity.user_id !== userId || identity.device_id !== deviceId) {
        throw new MatrixError(400, 'M_INVALID_PARAM', 'device_keys are of another device');
      }
      const changed = JSON.stringify(keys.identity) !== JSON.stringify(identity);
      keys.identity = identity;
      if (changed) this.changed(userId);
    }
    return this.counts(userId, deviceId);
  }

  counts(userId: string, deviceId: string): JsonObject {
    const counts: Record<string, number> = { signed_curve25519: 0 };
    for (const id of this.#find(userId, deviceId)?.oneTime.keys() ?? []) {
      counts[algorithmOf(id)] = (counts[algorithmOf(id)] ?? 0) + 1;
    }
    return counts;
  }

  unusedFallback(userId: string, deviceId: string): readonly string[] {
    const fallback = this.#find(userId, deviceId)?.fallback ?? new Map<string, { used: boolean }>();
    return [...fallback].filter(([, key]) => !key.used).map(([algorithm]) => algorithm);
  }

  /** One key of that algorithm as `{keyId: key}`; the fallback key when none is left; null when there is neither. */
  claim(userId: string, deviceId: string, algorithm: string): JsonObject | null {
    const keys = this.#find(userId, deviceId);
    for (const [id, key] of keys?.oneTime ?? []) {
      if (algorithmOf(id) !== algorithm) continue;
      keys?.oneTime.delete(id);
      return { [id]: key };
    }
    const fallback = keys?.fallback.get(algorithm);
    if (fallback === undefined) return null;
    fallback.used = true;
    return { [fallback.id]: fallback.key };
  }

  identity(userId: string, deviceId: string): JsonObject | null {
    return this.#find(userId, deviceId)?.identity ?? null;
  }

  /** Device ids with keys. */
  devices(userId: string): readonly string[] {
    return [...(this.#keys.get(userId) ?? [])].filter(([, keys]) => keys.identity !== null).map(([id]) => id);
  }

  sign(userId: string, deviceId: string, signatures: JsonObject): void {
    const keys = this.#find(userId, deviceId);
    if (keys?.identity) keys.identity = mergeSignatures(keys.identity, signatures);
  }

  drop(userId: string, deviceId: string): void {
    if (this.#keys.get(userId)?.delete(deviceId)) this.changed(userId);
  }

  /** The device list of that user is another one now. */
  changed(userId: string): void {
    this.#changes.push({ pos: this.#hub.next(), userId });
    this.#hub.notify();
  }

  changedBetween(fromPos: number, toPos: number): Set<string> {
    return new Set(this.#changes.filter(({ pos }) => pos > fromPos && pos <= toPos).map(({ userId }) => userId));
  }

  #addOneTime(keys: KeysOfDevice, id: string, key: JsonValue): void {
    const old = keys.oneTime.get(id);
    if (old !== undefined && JSON.stringify(old) !== JSON.stringify(key)) {
      throw new MatrixError(400, 'M_INVALID_PARAM', `One time key ${id} already exists`);
    }
    keys.oneTime.set(id, key);
  }

  #find(userId: string, deviceId: string): KeysOfDevice | null {
    return this.#keys.get(userId)?.get(deviceId) ?? null;
  }

  #need(userId: string, deviceId: string): KeysOfDevice {
    const devices = this.#keys.get(userId) ?? new Map<string, KeysOfDevice>();
    this.#keys.set(userId, devices);
    const keys = devices.get(deviceId) ?? { identity: null, oneTime: new Map(), fallback: new Map() };
    devices.set(deviceId, keys);
    return keys;
  }
}

function algorithmOf(keyId: string): string {
  return keyId.split(':', 1)[0] ?? keyId;
}

/** `key` with the signatures of `signed` added. */
export function mergeSignatures(key: JsonObject, signed: JsonObject): JsonObject {
  const merged: Record<string, JsonObject> = {};
  for (const source of [objectAt(key, 'signatures'), objectAt(signed, 'signatures')]) {
    for (const signer of Object.keys(source)) merged[signer] = { ...merged[signer], ...objectAt(source, signer) };
  }
  return { ...key, signatures: merged };
}
