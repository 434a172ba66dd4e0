import type { MetricsRegistry } from '../../observe/metrics.ts';
import type { MatrixState, RadioPort } from '../../relay/ports.ts';
import type { LaneDepth } from '../../relay/store-port.ts';
import type { Clock } from '../../util/clock.ts';

export interface StateSource {
  readonly matrix: () => MatrixState;
  readonly radios: ReadonlyMap<string, RadioPort>;
  readonly lanes: () => readonly LaneDepth[];
  readonly storeSize: () => { readonly fileBytes: number; readonly walBytes: number; readonly freeBytes: number };
}

/** Store figures cost a query: no scraper makes more than one in this time. */
const STORE_CACHE_MS = 10_000;

/** Gauges that are looked up when somebody asks. One per daemon. */
export function stateMetrics(
  registry: MetricsRegistry,
  source: StateSource,
  about: { readonly clock: Clock; readonly version: string },
): void {
  const { clock, version } = about;
  registry.gauge('mmrelay_build_info', 'What runs.').set(1, { version });
  linkMetrics(registry, source, clock);
  queueMetrics(registry, source, clock);
  processMetrics(registry, clock);
}

function linkMetrics(registry: MetricsRegistry, { matrix, radios }: StateSource, clock: Clock): void {
  const startedMs = clock.now();
  const syncAge = registry.gauge('mmrelay_matrix_sync_age_seconds', 'Since the last answer to /sync.');
  const up = registry.gauge('mmrelay_radio_link_up', '1 while the link is ready.');
  const nodes = registry.gauge('mmrelay_mesh_nodes', 'Nodes the radio knows.');
  const utilisation = registry.gauge('mmrelay_channel_utilization_percent', 'Channel utilisation the radio measures.');
  const airTime = registry.gauge('mmrelay_air_util_tx_percent', 'Share of the last hour the radio transmitted.');
  registry.onCollect(() => {
    syncAge.set(Math.max(0, clock.now() - (matrix().lastSyncMs || startedMs)) / 1000);
    for (const [name, radio] of radios) {
      up.set(radio.state().status === 'ready' ? 1 : 0, { radio: name });
      nodes.set(radio.nodes().size, { radio: name });
      const own = radio.nodes().get(radio.info()?.nodeNum ?? -1)?.metrics;
      if (typeof own?.channelUtilization === 'number') utilisation.set(own.channelUtilization, { radio: name });
      if (typeof own?.airUtilTx === 'number') airTime.set(own.airUtilTx, { radio: name });
    }
  });
}

function queueMetrics(registry: MetricsRegistry, { lanes, storeSize }: StateSource, clock: Clock): void {
  const depth = registry.gauge('mmrelay_outbox_depth', 'Messages that wait.');
  const oldest = registry.gauge('mmrelay_outbox_oldest_seconds', 'Age of the oldest one; 0 when none waits.');
  const bytes = registry.gauge('mmrelay_store_bytes', 'Size of the database.');
  const seen = new Set<string>();
  let nextMs = Number.NEGATIVE_INFINITY;
  registry.onCollect(() => {
    if (clock.monotonic() < nextMs) return;
    nextMs = clock.monotonic() + STORE_CACHE_MS;
    const now = clock.now();
    const byLane = new Map(lanes().map((lane) => [lane.lane, lane]));
    for (const lane of byLane.keys()) seen.add(lane);
    for (const lane of seen) {
      const { queued = 0, oldestCreatedAtMs = null } = byLane.get(lane) ?? {};
      depth.set(queued, { lane });
      oldest.set(oldestCreatedAtMs === null ? 0 : Math.max(0, now - oldestCreatedAtMs) / 1000, { lane });
    }
    const size = storeSize();
    bytes.set(size.fileBytes, { part: 'file' });
    bytes.set(size.walBytes, { part: 'wal' });
    bytes.set(size.freeBytes, { part: 'free' });
  });
}

function processMetrics(registry: MetricsRegistry, clock: Clock): void {
  const resident = registry.gauge('process_resident_memory_bytes', 'Resident memory.');
  const heap = registry.gauge('nodejs_heap_used_bytes', 'Used JavaScript heap.');
  const cpu = registry.gauge('process_cpu_seconds_total', 'CPU time, user and system.');
  registry
    .gauge('process_start_time_seconds', 'Start, Unix time.')
    .set(Math.round(clock.now() / 1000 - process.uptime()));
  registry.onCollect(() => {
    resident.set(process.memoryUsage.rss());
    heap.set(process.memoryUsage().heapUsed);
    const { user, system } = process.cpuUsage();
    cpu.set((user + system) / 1e6);
  });
}
