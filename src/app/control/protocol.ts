/**
 * What the command line and the running relay say to each other: one line of JSON each way, then the connection ends.
 * `{"v":1,"verb":"radio-release","args":{"radio":null,"forMs":600000}}` is answered by
 * `{"v":1,"ok":true,"result":…}` or `{"v":1,"ok":false,"code":"RADIO_…","error":"…"}`.
 */

import { isObject, type JsonObject } from '../../util/json.ts';
import { RelayError } from '../../util/relay-error.ts';
import type { DaemonStatus } from '../daemon/relay-status.ts';
import type { ReloadOutcome } from '../reload/reloader.ts';

export const CONTROL_VERSION = 1;
/** No request is near that long. */
export const MAX_REQUEST_CHARS = 4096;

/** All verbs with what they take and give. */
export interface ControlVerbs {
  readonly status: { readonly args: Record<never, never>; readonly result: DaemonStatus };
  /** `radio: null` is the only one. */
  readonly 'radio-release': {
    readonly args: { readonly radio: string | null; readonly forMs: number };
    readonly result: { readonly radio: string; readonly untilMs: number };
  };
  readonly 'radio-claim': {
    readonly args: { readonly radio: string | null };
    readonly result: { readonly radio: string };
  };
  readonly reload: { readonly args: Record<never, never>; readonly result: ReloadOutcome };
}

export interface ControlRequest {
  readonly verb: string;
  readonly args: JsonObject;
}

/** Reads one line of a client. @throws RelayError CONTROL_REQUEST */
export function parseRequest(line: string): ControlRequest {
  const value = parseObject(line);
  if (value === null) throw new RelayError('CONTROL_REQUEST', 'the request is no JSON object');
  if (value.v !== CONTROL_VERSION)
    throw new RelayError('CONTROL_VERSION', `this relay speaks version ${CONTROL_VERSION} of the control protocol`);
  const { verb, args = {} } = value;
  if (typeof verb !== 'string' || !isObject(args)) throw new RelayError('CONTROL_REQUEST', 'verb or args is missing');
  return { verb, args };
}

/** The result in one line of the relay. @throws RelayError CONTROL_REFUSED in the words of the relay, CONTROL_ANSWER for anything else */
export function parseAnswer(line: string): unknown {
  const value = parseObject(line);
  if (value?.v !== CONTROL_VERSION)
    throw new RelayError('CONTROL_ANSWER', 'The running relay is of another version: restart it');
  if (value.ok === true) return value.result;
  throw new RelayError('CONTROL_REFUSED', String(value.error));
}

export function resultLine(result: unknown): string {
  return `${JSON.stringify({ v: CONTROL_VERSION, ok: true, result })}\n`;
}

export function refusalLine(code: string, error: string): string {
  return `${JSON.stringify({ v: CONTROL_VERSION, ok: false, code, error })}\n`;
}

function parseObject(line: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) ? value : null;
  } catch {
    return null; // what is no JSON is no request either
  }
}
