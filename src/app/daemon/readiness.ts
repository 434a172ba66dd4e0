import { processEnv } from '../../config/env.ts';
import type { AppPaths } from '../../config/paths.ts';
import type { RelayConfig } from '../../config/types.ts';
import { ReadyFile } from '../../observe/ready-file.ts';
import { SdNotify } from '../../observe/sd-notify.ts';
import type { Clock } from '../../util/clock.ts';
import type { Logger } from '../../util/logger.ts';
import type { Daemon } from './daemon.ts';

export interface ReadinessOptions {
  readonly config: RelayConfig;
  readonly paths: AppPaths;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly daemon: Pick<Daemon, 'health' | 'alive'>;
}

const HEALTH_CHECK_MS = 1_000;
/** Until the relay is ready, somebody waits for it. */
const READY_CHECK_MS = 100;

/** Tells the log, the ready file and systemd how the relay is. One per process; holds what was said last. */
export class Readiness {
  readonly #options: ReadinessOptions;
  readonly #file: ReadyFile | null;
  readonly #systemd: SdNotify;
  #said = '';
  #wasReady = false;
  #cancel = (): void => undefined;

  constructor(options: ReadinessOptions) {
    this.#options = options;
    const { clock, logger, daemon } = options;
    const alive = (): boolean => daemon.alive();
    this.#file = readyFile(options, alive);
    this.#systemd = new SdNotify({ env: processEnv(), pid: process.pid, clock, logger, alive });
  }

  start(): void {
    this.#look();
  }

  /** First thing of a stop: from here on nobody should count on the relay. */
  stop(): void {
    this.#cancel();
    this.#file?.stop();
    void this.#systemd.stopping();
  }

  #look(): void {
    const { daemon, logger } = this.#options;
    const report = daemon.health();
    const words = [report.state, ...report.reasons].join('; ');
    const isNews = words !== this.#said;
    if (isNews && report.state === 'ready') logger.info('Relay startup complete: both sides are up');
    if (isNews && report.state === 'degraded') logger.warn('Relay is degraded', { reasons: report.reasons });
    if (report.ready && !this.#wasReady) void this.#systemd.ready(words);
    else if (this.#wasReady && isNews) void this.#systemd.status(words);
    this.#wasReady ||= report.ready;
    this.#said = words;
    if (report.ready) this.#file?.show();
    this.#file?.update();
    this.#lookAgain(HEALTH_CHECK_MS);
  }

  #lookAgain(restMs: number): void {
    const { clock, daemon } = this.#options;
    const stepMs = this.#wasReady ? restMs : Math.min(restMs, READY_CHECK_MS);
    this.#cancel = clock.after(stepMs, () => {
      if (stepMs === restMs || daemon.health().ready) this.#look();
      else this.#lookAgain(restMs - stepMs);
    });
  }
}

function readyFile({ paths, config, clock, logger, daemon }: ReadinessOptions, alive: () => boolean): ReadyFile | null {
  if (paths.readyFile === null) return null;
  return new ReadyFile({
    path: paths.readyFile.path,
    clock,
    logger,
    heartbeatMs: config.health.readyHeartbeatMs,
    alive,
    describe: () => ({ ...daemon.health() }),
    pid: process.pid,
  });
}
