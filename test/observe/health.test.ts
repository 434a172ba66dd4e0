import { describe, expect, test } from 'vitest';
import {
  assessHealth,
  type HealthInput,
  matrixHealth,
  radioHealth,
  type SideHealth,
} from '../../src/observe/health.ts';
import { startHealthServer } from '../../src/observe/health-server.ts';
import { MetricsRegistry } from '../../src/observe/metrics.ts';
import { silentLogger } from '../../src/util/logger.ts';

type Status = SideHealth['status'];

function input(matrix: Status, radios: readonly Status[], more: Partial<HealthInput> = {}): HealthInput {
  const side = (name: string, status: Status): SideHealth => ({
    name,
    status,
    reason: status === 'up' ? null : `${name} is away`,
  });
  return {
    phase: 'running',
    storeOpen: true,
    matrix: side('matrix', matrix),
    radios: radios.map((status, index) => side(`radio:${index}`, status)),
    requires: 'auto',
    wasReady: false,
    troubles: [],
    ...more,
  };
}

describe('health', () => {
  test.each<readonly [HealthInput['requires'], boolean, Status, Status, boolean]>([
    ['auto', false, 'up', 'up', true],
    ['auto', false, 'up', 'starting', false],
    ['auto', false, 'up', 'retrying', true],
    ['auto', false, 'retrying', 'retrying', true],
    ['auto', true, 'retrying', 'up', true],
    ['auto', true, 'retrying', 'retrying', false],
    ['any', false, 'up', 'starting', true],
    ['any', false, 'retrying', 'retrying', false],
    ['matrix', false, 'up', 'retrying', true],
    ['matrix', false, 'retrying', 'up', false],
    ['radio', false, 'retrying', 'up', true],
    ['radio', false, 'up', 'retrying', false],
    ['both', false, 'up', 'up', true],
    ['both', true, 'up', 'retrying', false],
  ])('%s, ready before: %s, matrix %s, radio %s -> %s', (requires, wasReady, matrix, radio, ready) => {
    expect(assessHealth(input(matrix, [radio], { requires, wasReady })).ready).toBe(ready);
  });

  test('states and reasons', () => {
    expect(assessHealth(input('up', ['up']))).toMatchObject({ state: 'ready', reasons: [] });
    expect(assessHealth(input('starting', ['up'])).state).toBe('starting');
    expect(assessHealth(input('retrying', ['up']))).toMatchObject({
      state: 'degraded',
      reasons: ['matrix: matrix is away'],
    });
    expect(assessHealth(input('up', ['up', 'retrying'])).state).toBe('degraded');
    expect(assessHealth(input('up', ['up'], { troubles: ['disk nearly full'] }))).toMatchObject({
      state: 'degraded',
      ready: true,
    });
    expect(assessHealth(input('up', ['up'], { phase: 'stopping', wasReady: true }))).toMatchObject({
      state: 'stopping',
      ready: false,
    });
    expect(assessHealth(input('up', ['up'], { storeOpen: false, wasReady: true }))).toMatchObject({
      state: 'degraded',
      ready: false,
    });
  });

  test.each([
    ['connecting', 0, 'starting'],
    ['connecting', 2, 'retrying'],
    ['backing-off', 1, 'retrying'],
    ['kicked', 0, 'retrying'],
    ['ready', 0, 'up'],
    ['asleep', 0, 'up'],
  ] as const)('a radio link %s after %i attempts is %s', (status, attempts, expected) => {
    expect(radioHealth('a', { status, attempts, reason: null }, null)).toMatchObject({
      name: 'radio:a',
      status: expected,
    });
  });

  test('a released radio is away on purpose, and nobody waits for it at the start', () => {
    const link = { status: 'stopped', attempts: 0, reason: 'released' } as const;
    expect(radioHealth('a', link, Date.UTC(2026, 10, 21, 15, 30, 59))).toEqual({
      name: 'radio:a',
      status: 'retrying',
      reason: 'released until 2026-11-21T15:30Z',
    });
  });

  test.each([
    ['connecting', 0, 'starting'],
    ['syncing', 0, 'up'],
    ['backing-off', 3, 'retrying'],
    ['logged-out', 0, 'retrying'],
  ] as const)('a Matrix link %s is %s', (status, attempts, expected) => {
    expect(matrixHealth({ status, attempts, reason: 'why' }).status).toBe(expected);
  });
});

describe('metrics', () => {
  test('text format', () => {
    const registry = new MetricsRegistry();
    const counter = registry.counter('mmrelay_messages_total', 'Messages.');
    counter.inc({ direction: 'to_mesh', outcome: 'a"b\\c\nd' });
    counter.inc({ direction: 'to_mesh', outcome: 'a"b\\c\nd' }, 2);
    counter.inc({}, -5);
    const gauge = registry.gauge('mmrelay_queue', 'Queue.');
    registry.onCollect(() => gauge.set(4));
    const histogram = registry.histogram('mmrelay_latency_seconds', 'Latency.', [0.1, 1]);
    for (const value of [0.05, 0.5, 5]) histogram.observe(value, { side: 'm' });
    expect(registry.render()).toBe(`# HELP mmrelay_messages_total Messages.
# TYPE mmrelay_messages_total counter
mmrelay_messages_total{direction="to_mesh",outcome="a\\"b\\\\c\\nd"} 3
# HELP mmrelay_queue Queue.
# TYPE mmrelay_queue gauge
mmrelay_queue 4
# HELP mmrelay_latency_seconds Latency.
# TYPE mmrelay_latency_seconds histogram
mmrelay_latency_seconds_bucket{side="m",le="0.1"} 1
mmrelay_latency_seconds_bucket{side="m",le="1"} 2
mmrelay_latency_seconds_bucket{side="m",le="+Inf"} 3
mmrelay_latency_seconds_sum{side="m"} 5.55
mmrelay_latency_seconds_count{side="m"} 3
`);
  });

  test('strangers cannot make series without end', () => {
    const registry = new MetricsRegistry();
    const counter = registry.counter('c_total', 'C.');
    for (let i = 0; i < 5000; i += 1) counter.inc({ node: String(i) });
    const lines = registry.render().trim().split('\n');
    expect(lines.length).toBeLessThan(510);
    expect(lines).toContain('c_total{node="other"} 4500');
  });

  test('one name, one metric', () => {
    const registry = new MetricsRegistry();
    registry.gauge('a', 'A.');
    expect(() => registry.counter('a', 'A.')).toThrow(/exists/);
    expect(() => registry.counter('a b', 'A.')).toThrow(/name/);
  });
});

describe('health server', () => {
  test('answers with named checks, 503 when not ready, and closes', async () => {
    let ready = false;
    let alive = true;
    const metrics = new MetricsRegistry();
    metrics.gauge('g', 'G.').set(1);
    const server = await startHealthServer({
      host: '127.0.0.1',
      port: 0,
      report: () => assessHealth(input(ready ? 'up' : 'starting', ['up'])),
      alive: () => alive,
      metrics,
      logger: silentLogger,
    });
    const get = (path: string, method = 'GET') => fetch(`http://127.0.0.1:${server.port}${path}`, { method });
    const first = await get('/readyz');
    expect(first.status).toBe(503);
    expect(await first.json()).toMatchObject({
      ready: false,
      checks: [{ name: 'store' }, { name: 'matrix', ok: false }, { name: 'radio:0' }],
    });
    ready = true;
    expect((await get('/readyz?verbose')).status).toBe(200);
    expect((await get('/healthz')).status).toBe(200);
    alive = false;
    expect((await get('/healthz')).status).toBe(503);
    const text = await get('/metrics');
    expect(text.headers.get('content-type')).toContain('version=0.0.4');
    expect(await text.text()).toContain('g 1');
    expect((await get('/nothing')).status).toBe(404);
    expect((await get('/metrics', 'POST')).status).toBe(405);
    expect(await (await get('/metrics', 'HEAD')).text()).toBe('');
    await server.close();
    await expect(get('/healthz')).rejects.toThrow();
  });

  test('an address that is taken rejects', async () => {
    const options = {
      host: '127.0.0.1',
      report: () => assessHealth(input('up', [])),
      alive: () => true,
      metrics: new MetricsRegistry(),
      logger: silentLogger,
    };
    const server = await startHealthServer({ ...options, port: 0 });
    await expect(startHealthServer({ ...options, port: server.port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await server.close();
  });
});
