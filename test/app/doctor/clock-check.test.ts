import { expect, test } from 'vitest';
import { checkClock } from '../../../src/app/doctor/clock-check.ts';

const NOW = Date.UTC(2026, 5, 1, 12);

test.each([
  [NOW, NOW - 900, 'ok', '2026-06-01 12:00:00 UTC; the homeserver agrees'],
  [NOW, NOW + 3 * 3_600_000, 'warning', "2026-06-01 12:00:00 UTC, 3 h behind the homeserver's"],
  [NOW, NOW - 300_000, 'warning', "2026-06-01 12:00:00 UTC, 5 min ahead of the homeserver's"],
  [NOW, null, 'ok', "2026-06-01 12:00:00 UTC; not compared with the homeserver's"],
  [0, null, 'warning', '1970-01-01 00:00:00 UTC cannot be right'],
])('our clock at %d, the homeserver at %j: %s', (nowMs, serverMs, status, text) => {
  expect(checkClock(nowMs, serverMs)).toMatchObject([{ group: 'clock', status, text }]);
});
