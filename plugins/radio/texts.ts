/** The radios in words. */

import type { RadioStatus } from '../../src/plugins/api.ts';
import { radioText } from '../shared/link-text.ts';
import { shortDuration } from '../shared/when.ts';

export function radioLine(radio: RadioStatus, nowMs: number): string {
  return `Radio ${radio.name}: ${radioText(radio, nowMs)}`;
}

/** `roof released 8m`: for the mesh. */
export function radioShort({ name, status, releasedUntilMs }: RadioStatus, nowMs: number): string {
  return releasedUntilMs === null ? `${name} ${status}` : `${name} released ${shortDuration(releasedUntilMs - nowMs)}`;
}
