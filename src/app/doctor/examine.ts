import type { AppPaths } from '../../config/paths.ts';
import type { FoundConfig } from '../../config/search.ts';
import type { Clock } from '../../util/clock.ts';
import { checkMatrix, type MatrixCheckOptions } from './account-check.ts';
import { checkClock } from './clock-check.ts';
import { type DaemonView, daemonFindings, viewDaemon } from './daemon-check.ts';
import type { Finding } from './finding.ts';
import { checkLegacy } from './legacy-check.ts';
import { askLiveStatus, liveLinkFindings } from './live-check.ts';
import { checkConfig, checkDisk, checkHome } from './local-checks.ts';
import { checkPlugins } from './plugins-check.ts';
import { checkRadios, type RadioCheckOptions } from './radio-checks.ts';
import { checkDatabase, checkEncryption, checkUpgradedRooms } from './store-checks.ts';

export type Network = 'auto' | 'homeserver' | 'everything' | 'none';

export interface ExamineOptions {
  readonly paths: AppPaths;
  readonly found: FoundConfig;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /**
   * auto: see whether radio and homeserver are there, unless a daemon does already. homeserver: ask that one in any case.
   * everything: log in and talk to the radio as a start would; the radio never beside a daemon.
   */
  readonly network: Network;
}

export interface Examination {
  readonly findings: readonly Finding[];
  readonly daemon: DaemonView;
  /** What the exit code says. */
  readonly healthy: boolean;
}

/**
 * Looks at everything and changes nothing. Beside a living daemon in a pod it is unhealthy only when a restart would
 * help: old manifests use plain `doctor` as their liveness probe, and a restart loop mends no token.
 */
export async function examine(options: ExamineOptions): Promise<Examination> {
  const { paths, found, env, clock, network } = options;
  const seen = viewDaemon(paths, { clock, env });
  const live = seen.running && seen.alive ? await askLiveStatus(paths.home.path) : null;
  const daemon: DaemonView = live === null ? seen : { ...seen, state: live.health.state, reasons: live.health.reasons };
  const links = live === null ? null : liveLinkFindings(live, clock.now());
  const { config } = found;
  const radioIsFree = !daemon.running && daemon.oldRelayPid === null;
  const [matrix, radios] = await Promise.all([
    checkMatrix(config, paths, { clock, contact: matrixContact(network, radioIsFree) }),
    checkRadios(config, { clock, contact: radioContact(network, radioIsFree) }),
  ]);
  const findings = [
    ...checkConfig(found),
    ...daemonFindings(daemon, paths, clock),
    ...checkHome(paths),
    ...checkClock(clock.now(), matrix.serverMs),
    ...checkDisk(paths.home.path),
    ...checkDatabase(paths, clock),
    ...checkUpgradedRooms(paths, config),
    ...checkEncryption(paths, config),
    ...matrix.findings,
    ...(links?.matrix ?? []),
    ...(links?.radios ?? radios),
    ...checkPlugins(config, paths),
    ...checkLegacy(paths, env),
  ];
  const inPod = (env.KUBERNETES_SERVICE_HOST ?? '') !== '';
  const counts = inPod && daemon.running ? findings.filter(({ group }) => group === 'daemon') : findings;
  return { findings, daemon, healthy: counts.every(({ status }) => status !== 'error') };
}

/** Beside a daemon that logs in by itself a second login would only be noise. */
function matrixContact(network: Network, isAlone: boolean): MatrixCheckOptions['contact'] {
  if (network === 'everything') return isAlone ? 'log-in' : 'ask';
  return network === 'homeserver' || (network === 'auto' && isAlone) ? 'ask' : 'nothing';
}

function radioContact(network: Network, isFree: boolean): RadioCheckOptions['contact'] {
  if (!isFree) return 'nothing';
  return network === 'everything' ? 'ask' : network === 'auto' ? 'reach' : 'nothing';
}
