import { join } from 'node:path';
import type { JsonObject } from '../../util/json.ts';
import { type MatrixApi, path } from '../api.ts';
import { asObject, asString } from '../json-read.ts';

/** The file that holds the keys of a device: one per device, never two in one. */
export function deviceStorePath(folder: string, deviceId: string): string {
  return join(folder, `crypto-${encodeURIComponent(deviceId)}.sqlite`);
}

/** The device whose keys a file of that folder holds; null: it is another file. */
export function storedDevice(fileName: string): string | null {
  const id = /^crypto-(.+)\.sqlite$/.exec(fileName)?.[1];
  return id === undefined ? null : decodeURIComponent(id);
}

/** The identity key that the server shows for a device; null when it has none. @throws HttpFailure */
export async function publishedDeviceKey(api: MatrixApi, userId: string, deviceId: string): Promise<string | null> {
  const body: JsonObject = { device_keys: { [userId]: [deviceId] } };
  const answer = await api.request('POST', path`/keys/query`, { body });
  const device = asObject(asObject(asObject(answer.device_keys)[userId])[deviceId]);
  return asString(asObject(device.keys)[`ed25519:${deviceId}`]);
}
