import type { MetricsRegistry } from '../../observe/metrics.ts';
import { radioLane } from '../../relay/delivery.ts';
import type { AirUse } from '../../relay/lanes/air-budget.ts';
import type { LinkStatus, MatrixState, RadioPort } from '../../relay/ports.ts';
import type { LaneDepth } from '../../relay/store-port.ts';
import type { Clock } from '../../util/clock.ts';

/** What the gauges look at. */
export interface StateSource {
  readonly matrix: () => MatrixState;
  readonly radios: ReadonlyMap<string, RadioPort>;
  /** What this relay has put on the air by a radio, and may still. */
  readonly air: (radio: string) => AirUse | null;
  readonly isReleased: (radio: string) => boolean;
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
  airMetrics(registry, source);
  queueMetrics(registry, source, clock);
  processMetrics(registry, clock);
}

const RADIO_STATES = ['connecting', 'handshaking', 'ready', 'backing-off', 'kicked', 'asleep', 'released'] as const;
const MATRIX_STATES = ['connecting', 'syncing', 'backing-off', 'logged-out'] as const;

function linkMetrics(registry: MetricsRegistry, { matrix, radios, isReleased }: StateSource, clock: Clock): void {
  const startedMs = clock.now();
  const syncAge = registry.gauge('mmrelay_matrix_sync_age_seconds', 'Since the last answer to /sync.');
  const matrixState = registry.gauge('mmrelay_matrix_link_state', '1 for the state the link to the homeserver is in.');
  const up = registry.gauge('mmrelay_radio_link_up', '1 while the link is ready.');
  const radioState = registry.gauge('mmrelay_radio_link_state', '1 for the state the link is in.');
  registry.onCollect(() => {
    const { status, lastSyncMs } = matrix();
    syncAge.set(Math.max(0, clock.now() - (lastSyncMs || startedMs)) / 1000);
    for (const state of MATRIX_STATES) matrixState.set(state === status ? 1 : 0, { state });
    for (const [radio, port] of radios) {
      const now: LinkStatus | 'released' = isReleased(radio) ? 'released' : port.state().status;
      up.set(now === 'ready' ? 1 : 0, { radio });
      for (const state of RADIO_STATES) radioState.set(state === now ? 1 : 0, { radio, state });
    }
  });
}

function airMetrics(registry: MetricsRegistry, { radios, air }: StateSource): void {
  const nodes = registry.gauge('mmrelay_mesh_nodes', 'Nodes the radio knows.');
  const utilisation = registry.gauge('mmrelay_channel_utilization_percent', 'Channel utilisation the radio measures.');
  const airTime = registry.gauge('mmrelay_air_util_tx_percent', 'Share of the last hour the radio transmitted.');
  const used = registry.gauge('mmrelay_airtime_used_seconds', 'Time on air of the relay in the last hour.');
  const left = registry.gauge('mmrelay_duty_cycle_left_seconds', 'Time on air the region still allows in this hour.');
  registry.onCollect(() => {
    for (const [radio, port] of radios) {
      nodes.set(port.nodes().size, { radio });
      const own = port.nodes().get(port.info()?.nodeNum ?? -1)?.metrics;
      if (typeof own?.channelUtilization === 'number') utilisation.set(own.channelUtilization, { radio });
      if (typeof own?.airUtilTx === 'number') airTime.set(own.airUtilTx, { radio });
      const { usedMs = 0, leftMs = null } = air(radio) ?? {};
      used.set(usedMs / 1000, { radio });
      // Where the region sets no limit there is no such series.
      if (leftMs !== null) left.set(leftMs / 1000, { radio });
    }
  });
}

function queueMetrics(registry: MetricsRegistry, { radios, lanes, storeSize }: StateSource, clock: Clock): void {
  const depth = registry.gauge('mmrelay_outbox_depth', 'Messages that wait.');
  const oldest = registry.gauge('mmrelay_outbox_oldest_seconds', 'Age of the oldest one; 0 when none waits.');
  const bytes = registry.gauge('mmrelay_store_bytes', 'Size of the database.');
  const seen = new Set([...radios.keys()].map(radioLane));
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
  const cpu = registry.counter('process_cpu_seconds_total', 'CPU time, user and system.');
  let countedS = 0;
  registry
    .gauge('process_start_time_seconds', 'Start, Unix time.')
    .set(Math.round(clock.now() / 1000 - process.uptime()));
  registry.onCollect(() => {
    resident.set(process.memoryUsage.rss());
    heap.set(process.memoryUsage().heapUsed);
    const { user, system } = process.cpuUsage();
    const usedS = (user + system) / 1e6;
    cpu.inc({}, usedS - countedS);
    countedS = usedS;
  });
}
