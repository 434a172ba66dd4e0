/** What waits, in words. */

import type { RelayStatus } from '../../src/plugins/api.ts';
import { longDuration } from '../shared/when.ts';

export type Queue = RelayStatus['queues'][number];

/** `Radio default: 3 waiting (oldest 12 s), 1 sent and not yet confirmed, about 8 s to go` */
export function queueLine(queue: Queue): string {
  const { lane, queued, sent, oldestMs, expectedMs } = queue;
  const parts = [
    queued === 0
      ? 'nothing waits'
      : `${queued} waiting${oldestMs === null ? '' : ` (oldest ${longDuration(oldestMs)})`}`,
    ...(sent === 0 ? [] : [`${sent} sent and not yet confirmed`]),
    ...(queued === 0 || expectedMs === null ? [] : [`about ${longDuration(expectedMs)} to go`]),
  ];
  return `${laneName(lane)}: ${parts.join(', ')}`;
}

export function laneName(lane: string): string {
  return lane.replace(/^radio:/, 'Radio ').replace(/^room:/, 'Room ');
}

/** `default 3 ~8 s`: for the mesh. */
export function queueShort({ lane, queued, expectedMs }: Queue): string {
  const expected = queued === 0 || expectedMs === null ? '' : ` ~${longDuration(expectedMs)}`;
  return `${lane.replace(/^(?:radio|room):/, '')} ${queued}${expected}`;
}
