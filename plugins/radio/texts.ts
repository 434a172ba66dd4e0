/** The state of a radio in words. */

import type { RadioStatus } from '../../src/plugins/api.ts';
import { longDuration, shortDuration } from '../shared/when.ts';

/** `Radio default: released for another 8 min`, `Radio roof: backing-off for 3 min (connection refused)` */
export function radioLine({ name, status, reason, sinceMs, releasedUntilMs }: RadioStatus, nowMs: number): string {
  if (releasedUntilMs !== null) return `Radio ${name}: released for another ${longDuration(releasedUntilMs - nowMs)}`;
  const why = reason === null ? '' : ` (${reason})`;
  return `Radio ${name}: ${status} for ${longDuration(nowMs - sinceMs)}${why}`;
}

/** `roof released 8m`: for the mesh. */
export function radioShort({ name, status, releasedUntilMs }: RadioStatus, nowMs: number): string {
  return releasedUntilMs === null ? `${name} ${status}` : `${name} released ${shortDuration(releasedUntilMs - nowMs)}`;
}
