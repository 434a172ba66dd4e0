/** How a link is, in words. */

import type { RadioStatus, RelayStatus } from '../../src/plugins/api.ts';
import { longDuration } from './when.ts';

/** `backing-off for 42 s (connection refused)` */
export function linkText({ status, reason, sinceMs }: RelayStatus['matrix'] | RadioStatus, nowMs: number): string {
  return `${status} for ${longDuration(nowMs - sinceMs)}${reason === null ? '' : ` (${reason})`}`;
}

/** The same, or `released for another 8 min`. */
export function radioText(radio: RadioStatus, nowMs: number): string {
  const { releasedUntilMs } = radio;
  return releasedUntilMs === null
    ? linkText(radio, nowMs)
    : `released for another ${longDuration(releasedUntilMs - nowMs)}`;
}
