import type { HealthReport } from '../../observe/health.ts';
import type { RadioStatus, RelayStatus } from '../../plugins/api.ts';
import type { PluginState } from '../../plugins/host/types.ts';
import type { MatrixPort, RadioPort } from '../../relay/ports.ts';
import { meshnetName } from '../../relay/rules/meshnet-name.ts';
import type { WorldView } from '../../relay/rules/view.ts';
import type { LaneDepth } from '../../relay/store-port.ts';
import type { RadioReleases } from '../radios/radio-releases.ts';
import { VERSION } from '../version.ts';
import type { LinkEpisode } from './link-history.ts';

export interface RelayStatusOptions {
  readonly matrix: MatrixPort;
  readonly radios: ReadonlyMap<string, RadioPort>;
  readonly releases: Pick<RadioReleases, 'untilMs'>;
  readonly lanes: readonly LaneDepth[];
  readonly world: WorldView;
  readonly nowMs: number;
  readonly startedAtMs: number;
}

/** The running relay, as it knows itself, for the command line. */
export interface DaemonStatus extends RelayStatus {
  readonly pid: number;
  readonly health: HealthReport;
  readonly plugins: readonly PluginState[];
  /** What became of each link since the start, oldest first; by `matrix` and `radio:<name>`. */
  readonly links: Readonly<Record<string, readonly LinkEpisode[]>>;
}

/** Both sides and what waits, for plugins and for the command line. */
export function relayStatus(options: RelayStatusOptions): RelayStatus {
  const { matrix, radios, lanes, nowMs, startedAtMs } = options;
  const { status, reason, sinceMs } = matrix.state();
  return {
    version: VERSION,
    startedAtMs,
    matrix: { status, reason, sinceMs, userId: matrix.userId() },
    radios: [...radios.values()].map((radio) => radioStatus(radio, options)),
    queues: lanes.map(({ lane, queued, sent, oldestCreatedAtMs }) => ({
      lane,
      queued,
      sent,
      oldestMs: oldestCreatedAtMs === null ? null : nowMs - oldestCreatedAtMs,
      expectedMs: expectedMs(lane, queued, options),
    })),
  };
}

function radioStatus(radio: RadioPort, { world, releases }: RelayStatusOptions): RadioStatus {
  const { status, reason, sinceMs } = radio.state();
  const info = radio.info();
  const settings = world.settings.radios.get(radio.name);
  return {
    name: radio.name,
    status,
    reason,
    sinceMs,
    releasedUntilMs: releases.untilMs(radio.name),
    nodeNum: info?.nodeNum ?? null,
    firmwareVersion: info?.firmwareVersion ?? null,
    hwModel: info?.hwModel ?? null,
    region: info?.lora?.region ?? null,
    modemPreset: info?.lora?.modemPreset ?? null,
    channels: (info?.channels ?? [])
      .filter(({ role }) => role !== 'disabled')
      .map(({ index, name }) => ({ index, name })),
    meshnet: settings === undefined ? '' : meshnetName(settings, world),
  };
}

/** At the pace of one packet each `message_delay`; null while the other side is down, and for rooms. */
function expectedMs(lane: string, queued: number, { radios, world }: RelayStatusOptions): number | null {
  const name = lane.startsWith('radio:') ? lane.slice('radio:'.length) : null;
  if (name === null || radios.get(name)?.state().status !== 'ready') return null;
  return queued * (world.settings.radios.get(name)?.messageDelayMs ?? 0);
}
