import type { RelayStatus } from '../../../src/plugins/api.ts';

export const NOW_MS = 1_700_000_000_000;

export const relayStatus: RelayStatus = {
  version: '2.0.0',
  startedAtMs: NOW_MS - 11_100_000,
  radios: [
    {
      name: 'default',
      status: 'ready',
      reason: null,
      sinceMs: NOW_MS - 3_600_000,
      releasedUntilMs: null,
      nodeNum: 1,
      firmwareVersion: '2.6.11',
      hwModel: 'TBEAM',
      region: 'EU_868',
      modemPreset: 'LONG_FAST',
      channels: [{ index: 0, name: 'LongFast' }],
      meshnet: 'Home',
    },
  ],
  matrix: { status: 'backing-off', reason: 'connection refused', sinceMs: NOW_MS - 42_000, userId: '@relay:x' },
  queues: [
    { lane: 'radio:default', queued: 3, sent: 1, oldestMs: 12_000, expectedMs: 8000 },
    { lane: 'room:!room:example.org', queued: 2, sent: 0, oldestMs: 42_000, expectedMs: null },
    { lane: 'room:!secret:example.org', queued: 4, sent: 0, oldestMs: 1000, expectedMs: null },
  ],
};
