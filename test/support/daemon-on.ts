import { createDaemon, type Daemon, type DaemonOptions } from '../../src/app/daemon/daemon.ts';
import { resolvePaths } from '../../src/config/paths.ts';
import type { RelayConfig } from '../../src/config/types.ts';
import { systemClock } from '../../src/util/clock.ts';
import { silentLogger } from '../../src/util/logger.ts';
import { config } from '../config/helpers.ts';

/** The whole relay in this process, on this home; not started. @param source a config.yaml, or what was read from one */
export function daemonOn(
  home: string,
  source: string | RelayConfig,
  options: Pick<DaemonOptions, 'onFatal'> & Partial<Pick<DaemonOptions, 'clock' | 'logger'>>,
): Daemon {
  const parsed = typeof source === 'string' ? config(source) : source;
  return createDaemon({
    config: parsed,
    paths: resolvePaths({ cli: { home }, env: {}, cwd: home, config: parsed }),
    clock: systemClock,
    random: Math.random,
    logger: silentLogger,
    ...options,
  });
}
