import { expect, it } from 'vitest';
import status from '../../../plugins/status/index.ts';
import { testPlugin } from '../../../src/plugins/testing.ts';
import { NOW_MS, relayStatus } from './relay-status.ts';

it('tells both links, versions, and what waits', async () => {
  const tester = testPlugin(status, { nowMs: NOW_MS, status: relayStatus });
  const reply = (await tester.room('!status')).replies[0];
  expect(reply?.text).toBe(
    'mmrelay 2.0.0, up 3 h 5 min\n' +
      'Matrix: backing-off for 42 s (connection refused)\n' +
      'Radio default: ready for 1 h, TBEAM, firmware 2.6.11, EU_868 LONG_FAST\n' +
      'Waiting: 3 for the mesh, 6 for rooms',
  );
  expect(reply?.short).toBe('mmrelay 2.0.0 | up 3 h 5 min | Matrix backing-off | radio ready | waiting 3/6');
});

it('tells that a radio is released', async () => {
  const radios = relayStatus.radios.map((radio) => ({
    ...radio,
    status: 'stopped',
    releasedUntilMs: NOW_MS + 480_000,
  }));
  const tester = testPlugin(status, { nowMs: NOW_MS, status: { ...relayStatus, radios } });
  const reply = (await tester.room('!status')).replies[0];
  expect(reply?.text).toContain('Radio default: released for another 8 min, TBEAM');
  expect(reply?.short).toContain('| radio released |');
});
