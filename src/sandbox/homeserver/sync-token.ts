import { badParam } from './matrix-error.ts';

/** A sync token: how far the stream, and the device's to-device queue, have been answered. */
export interface SyncToken {
  readonly pos: number;
  readonly toDevicePos: number;
}

export function formatSyncToken(token: SyncToken): string {
  return `s${token.pos}_${token.toDevicePos}`;
}

/** Throws M_INVALID_PARAM for anything that is no token of ours. */
export function parseSyncToken(text: string): SyncToken {
  const found = /^s(\d+)_(\d+)$/.exec(text);
  if (found === null) throw badParam(`Invalid stream token: ${text}`);
  return { pos: Number(found[1]), toDevicePos: Number(found[2]) };
}

/** Position of a pagination token, which may be a sync token (`s1_2`) or one of /messages (`t1`). */
export function parsePosition(text: string): number {
  const found = /^(?:s(\d+)_\d+|t(\d+))$/.exec(text);
  if (found === null) throw badParam(`Invalid token: ${text}`);
  return Number(found[1] ?? found[2]);
}
