import { rmSync } from 'node:fs';
import { processEnv } from '../../config/env.ts';
import type { AppPaths } from '../../config/paths.ts';
import { terminalAbilities } from '../../config/terminal.ts';
import type { RelayConfig } from '../../config/types.ts';
import { chooseFormat, LogSystem } from '../../observe/logger.ts';
import { MetricsRegistry } from '../../observe/metrics.ts';
import { Redactor } from '../../observe/redact.ts';
import { type Clock, systemClock } from '../../util/clock.ts';
import { EXIT, type ExitCode, exitCodeOf } from '../../util/exit-code.ts';
import type { Logger } from '../../util/logger.ts';
import { ReferenceClock } from '../../util/reference-clock.ts';
import { errorText, RelayError } from '../../util/relay-error.ts';
import { startControlServer } from '../control/server.ts';
import { controlVerbs } from '../control/verbs.ts';
import { messageMetrics } from '../metrics/message-metrics.ts';
import { stateMetrics } from '../metrics/state-metrics.ts';
import { type ReadConfig, Reloader } from '../reload/reloader.ts';
import { VERSION } from '../version.ts';
import { createDaemon } from './daemon.ts';
import { exposeCollector, startHeapCare } from './heap-care.ts';
import { lockHome, makeHome, refuseBesideOldRelay } from './own-home.ts';
import { Readiness } from './readiness.ts';
import { serveHealth } from './serve-health.ts';
import { shutDown } from './shutdown.ts';
import { catchSignals, type Signals } from './signals.ts';

export interface RunOptions {
  readonly config: RelayConfig;
  readonly paths: AppPaths;
  /** Values the log must never show. */
  readonly secrets: readonly string[];
  /** Takes whole log lines. */
  readonly write: (line: string) => void;
  readonly terminal: boolean;
  /** Aborts to stop; given by tests and the demo instead of a signal. */
  readonly stopSignal?: AbortSignal;
  /** Reads the configuration again, for SIGHUP and when its file changed; absent: nothing is reloaded. */
  readonly readConfig?: ReadConfig;
}

/** Runs the relay until a signal or a fatal failure. @returns the exit code */
export async function runDaemon(options: RunOptions): Promise<ExitCode> {
  const clock = new ReferenceClock(systemClock);
  const signals = catchSignals(options.stopSignal);
  const log = openLog(options, clock);
  const { logger } = log;
  logger.info('Starting MMRelay', { version: VERSION, home: options.paths.home.path, pid: process.pid });
  try {
    makeHome(options.paths);
    const lock = lockHome(options.paths, clock);
    try {
      refuseBesideOldRelay(options.paths);
      // What a killed predecessor left would tell the probes that this one is ready.
      if (options.paths.readyFile !== null) rmSync(options.paths.readyFile.path, { force: true });
      return await runLocked(options, { clock, logger, signals, log });
    } finally {
      lock.release();
    }
  } catch (error) {
    logger.error('mmrelay cannot go on', {
      code: error instanceof RelayError ? error.code : undefined,
      error: errorText(error),
    });
    if (!(error instanceof RelayError)) logger.error('This is a defect of mmrelay', { error });
    return exitCodeOf(error);
  } finally {
    signals.release();
    logger.info('Shutdown complete.');
    log.close();
  }
}

interface Running {
  readonly clock: ReferenceClock;
  readonly logger: Logger;
  readonly signals: Signals;
  readonly log: LogSystem;
}

async function runLocked(options: RunOptions, running: Running): Promise<ExitCode> {
  const { clock, logger, signals, log } = running;
  const registry = new MetricsRegistry();
  const daemon = createDaemon({
    ...options,
    clock,
    random: Math.random,
    logger,
    onFatal: (error) => signals.fail(error),
    onSecrets: (secrets) => log.hide(secrets),
    observer: messageMetrics(registry, clock),
    onServerTime: (nowMs) => {
      const news = clock.hear(nowMs);
      if (news === 'wrong')
        logger.warn("This machine and the homeserver are more than a minute apart; the time is the homeserver's");
      if (news === 'right') logger.info('This machine and the homeserver agree on the time again');
    },
  });
  stateMetrics(registry, daemon.source, { clock, version: VERSION });
  const readiness = new Readiness({ ...options, clock, logger, daemon });
  const server = await serveHealth(options.config, { logger, daemon, registry });
  const reloader = new Reloader({ ...options, daemon, log, logger, clock });
  signals.onReload(() => void reloader.reload('SIGHUP'));
  const control = await startControlServer({
    home: options.paths.home.path,
    verbs: controlVerbs(daemon, () => reloader.reload('mmrelay reload')),
    clock,
    logger: logger.child('control'),
  });
  daemon.start();
  const stopHeapCare = startHeapCare({
    clock,
    residentBytes: () => process.memoryUsage.rss(),
    collector: exposeCollector(),
  });
  reloader.watch();
  readiness.start();
  const failure = await signals.first;
  logger.info('Shutdown signal received. Closing down...', { failed: failure !== null });
  readiness.stop();
  stopHeapCare();
  reloader.stop();
  if (failure !== null) await daemon.settle(signals.second);
  const stop = (): Promise<unknown> => Promise.all([control?.close(), daemon.stop(), server?.close()]);
  await shutDown({ clock, logger, stop, impatient: signals.second });
  if (failure !== null) throw failure.error;
  return EXIT.ok;
}

function openLog({ config, paths, secrets, write, terminal }: RunOptions, clock: Clock): LogSystem {
  const { logging } = config;
  const redactor = new Redactor();
  for (const secret of secrets) redactor.add(secret);
  return new LogSystem({
    level: logging.level,
    levels: logging.levels,
    format: chooseFormat(logging.format, terminal),
    colour: logging.color && terminalAbilities(processEnv(), terminal).colour,
    messageText: logging.messageText,
    redactor,
    clock,
    write,
    file: logging.toFile
      ? { path: paths.logFile.path, maxBytes: logging.maxFileBytes, backupCount: logging.backupCount }
      : null,
  });
}
