import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { messageMetrics } from '../../../src/app/metrics/message-metrics.ts';
import { type StateSource, stateMetrics } from '../../../src/app/metrics/state-metrics.ts';
import { MetricsRegistry } from '../../../src/observe/metrics.ts';
import { ManualClock } from '../../../src/util/manual-clock.ts';
import { FakeMatrix, FakeRadio } from '../../support/fake-ports.ts';
import { packet } from '../../support/relay-fixture.ts';

function relay(change: Partial<StateSource> = {}) {
  const clock = new ManualClock(1_750_000_000_000);
  const registry = new MetricsRegistry();
  const radio = new FakeRadio('roof');
  const matrix = new FakeMatrix();
  const source: StateSource = {
    matrix: () => matrix.state(),
    radios: new Map([['roof', radio]]),
    lanes: () => [],
    storeSize: () => ({ fileBytes: 1, walBytes: 2, freeBytes: 3 }),
    air: () => ({ usedMs: 2_500, leftMs: 339_500 }),
    isReleased: () => false,
    ...change,
  };
  const observer = messageMetrics(registry, clock);
  stateMetrics(registry, source, { clock, version: '1.2.3' });
  return { registry, observer, radio, clock };
}

test('what a relay shows is what the table lists, with its type', () => {
  const readme = readFileSync('deploy/observability/README.md', 'utf8');
  const listed = [...readme.matchAll(/^\| `([a-z_]+)` \| (\w+) \|/gm)].map(([, name, type]) => `${name} ${type}`);
  const shown = [
    ...relay()
      .registry.render()
      .matchAll(/^# TYPE (\S+ \S+)$/gm),
  ].map(([, family]) => family);
  expect(shown.toSorted()).toEqual(listed.toSorted());
});

test('the state of each link is one of its states', () => {
  const { registry, radio } = relay();
  radio.setReady(false);
  const text = registry.render();
  expect(text.match(/^mmrelay_radio_link_state\{radio="roof",state="[\w-]+"\} 1$/gm)).toEqual([
    'mmrelay_radio_link_state{radio="roof",state="backing-off"} 1',
  ]);
  expect(text).toContain('mmrelay_radio_link_up{radio="roof"} 0\n');
  expect(text).toContain('mmrelay_matrix_link_state{state="syncing"} 1\n');
  const away = relay({ isReleased: () => true }).registry.render();
  expect(away).toContain('mmrelay_radio_link_state{radio="roof",state="released"} 1\n');
});

test('airtime, and the duty cycle only where there is one', () => {
  const text = relay().registry.render();
  expect(text).toContain('mmrelay_airtime_used_seconds{radio="roof"} 2.5\n');
  expect(text).toContain('mmrelay_duty_cycle_left_seconds{radio="roof"} 339.5\n');
  const free = relay({ air: () => ({ usedMs: 0, leftMs: null }) }).registry.render();
  expect(free).not.toMatch(/^mmrelay_duty_cycle_left_seconds/m);
});

test('a lane that is empty has a depth of 0, before and after', () => {
  const depths = [{ lane: 'room:!a', queued: 2, sent: 0, oldestCreatedAtMs: 1_749_999_990_000 }];
  const { registry, clock } = relay({ lanes: () => depths });
  expect(registry.render()).toContain('mmrelay_outbox_oldest_seconds{lane="room:!a"} 10\n');
  depths.length = 0;
  return clock.advance(10_000).then(() => {
    const text = registry.render();
    expect(text).toContain('mmrelay_outbox_depth{lane="room:!a"} 0\n');
    expect(text).toContain('mmrelay_outbox_depth{lane="radio:roof"} 0\n');
  });
});

test('signal and port of what is heard, and reconnects', () => {
  const { registry, observer } = relay();
  observer.onPacket?.('roof', packet(), false);
  for (const status of ['ready', 'backing-off', 'ready'] as const)
    observer.onRadioState?.('roof', { status, sinceMs: 0, reason: null, attempts: 0 });
  const text = registry.render();
  expect(text).toContain('mmrelay_mesh_packets_total{radio="roof",port="TEXT_MESSAGE_APP",duplicate="false"} 1\n');
  expect(text).toContain('mmrelay_mesh_rssi_dbm_bucket{radio="roof",le="-80"} 1\n');
  expect(text).toContain('mmrelay_radio_reconnects_total{radio="roof"} 1\n');
});
