import { accessSync, constants, mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { processEnv } from '../../config/env.ts';
import type { AppPaths } from '../../config/paths.ts';
import { terminalAbilities } from '../../config/terminal.ts';
import type { RelayConfig } from '../../config/types.ts';
import { type HealthServer, startHealthServer } from '../../observe/health-server.ts';
import { chooseFormat, LogSystem } from '../../observe/logger.ts';
import { MetricsRegistry } from '../../observe/metrics.ts';
import { oldRelaysOn } from '../../observe/open-files.ts';
import { acquireLock } from '../../observe/process-lock.ts';
import { ReadyFile } from '../../observe/ready-file.ts';
import { Redactor } from '../../observe/redact.ts';
import { SdNotify } from '../../observe/sd-notify.ts';
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
import { createDaemon, type Daemon } from './daemon.ts';
import { exposeCollector, startHeapCare } from './heap-care.ts';
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

const HEALTH_CHECK_MS = 1_000;
/** Until the relay is ready, somebody waits for it. */
const READY_CHECK_MS = 100;

/** Runs the relay until a signal or a fatal failure. @returns the exit code */
export async function runDaemon(options: RunOptions): Promise<ExitCode> {
  const clock = new ReferenceClock(systemClock);
  const signals = catchSignals(options.stopSignal);
  const log = openLog(options, clock);
  const { logger } = log;
  logger.info('Starting MMRelay', { version: VERSION, home: options.paths.home.path, pid: process.pid });
  try {
    makeHome(options.paths);
    const lock = acquireLock({ path: options.paths.lockFile.path, clock });
    if (!lock.ok) throw alreadyRunning(options.paths, lock.owner.pid);
    try {
      refuseBesideOldRelay(options.paths);
      // What a killed predecessor left would tell the probes that this one is ready.
      if (options.paths.readyFile !== null) rmSync(options.paths.readyFile.path, { force: true });
      return await runLocked(options, { clock, logger, signals, log });
    } finally {
      lock.lock.release();
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
  const ready = readyFile(options, { clock, logger, daemon });
  const systemd = new SdNotify({ env: processEnv(), pid: process.pid, clock, logger, alive: () => daemon.alive() });
  const server = await healthServer(options, { logger, daemon, registry });
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
    collect: exposeCollector(),
  });
  reloader.watch();
  const watch = watchReadiness(daemon, { clock, logger, ready, systemd });
  const failure = await signals.first;
  logger.info('Shutdown signal received. Closing down...', { failed: failure !== null });
  watch();
  stopHeapCare();
  reloader.stop();
  ready?.stop();
  void systemd.stopping();
  if (failure !== null) await daemon.settle(signals.second);
  const stop = (): Promise<unknown> => Promise.all([control?.close(), daemon.stop(), server?.close()]);
  await shutDown({ clock, logger, stop, impatient: signals.second });
  if (failure !== null) throw failure.error;
  return EXIT.ok;
}

/** null: not wanted. A taken port must not stop the relay: its messages matter more than its metrics. */
async function healthServer(
  { config }: RunOptions,
  context: { readonly logger: Logger; readonly daemon: Daemon; readonly registry: MetricsRegistry },
): Promise<HealthServer | null> {
  const { listen } = config.health;
  if (listen === null) return null;
  const { daemon, registry } = context;
  const logger = context.logger.child('health');
  try {
    const server = await startHealthServer({
      ...listen,
      report: () => daemon.health(),
      alive: () => daemon.alive(),
      metrics: registry,
      logger,
    });
    logger.info('Health and metrics are served', { host: listen.host, port: server.port });
    return server;
  } catch (error) {
    logger.error('Health and metrics cannot be served', { ...listen, error: errorText(error) });
    return null;
  }
}

function watchReadiness(
  daemon: Daemon,
  context: {
    readonly clock: Clock;
    readonly logger: Logger;
    readonly ready: ReadyFile | null;
    readonly systemd: SdNotify;
  },
): () => void {
  const { clock, logger, ready, systemd } = context;
  let said = '';
  let told = false;
  let cancel = (): void => undefined;
  const look = (): void => {
    const report = daemon.health();
    const words = [report.state, ...report.reasons].join('; ');
    if (words !== said && report.state === 'ready') logger.info('Relay startup complete: both sides are up');
    if (words !== said && report.state === 'degraded') logger.warn('Relay is degraded', { reasons: report.reasons });
    if (report.ready && !told) void systemd.ready(words);
    else if (told && words !== said) void systemd.status(words);
    told ||= report.ready;
    said = words;
    if (report.ready) ready?.show();
    ready?.update();
    wait(HEALTH_CHECK_MS);
  };
  const wait = (restMs: number): void => {
    const stepMs = told ? restMs : Math.min(restMs, READY_CHECK_MS);
    cancel = clock.after(stepMs, () => {
      if (stepMs === restMs || daemon.health().ready) look();
      else wait(restMs - stepMs);
    });
  };
  look();
  return () => cancel();
}

function readyFile(
  { paths, config }: RunOptions,
  context: { readonly clock: Clock; readonly logger: Logger; readonly daemon: Daemon },
): ReadyFile | null {
  if (paths.readyFile === null) return null;
  const { clock, logger, daemon } = context;
  return new ReadyFile({
    path: paths.readyFile.path,
    clock,
    logger,
    heartbeatMs: config.health.readyHeartbeatMs,
    alive: () => daemon.alive(),
    describe: () => ({ ...daemon.health() }),
    pid: process.pid,
  });
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

function makeHome(paths: AppPaths): void {
  for (const folder of [paths.home.path, dirname(paths.database.path)]) {
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      accessSync(folder, constants.W_OK | constants.X_OK);
    } catch (error) {
      throw new RelayError(
        'CONFIG_HOME_UNWRITABLE',
        `${folder} cannot be written (${errorText(error)}): set MMRELAY_HOME or --home to a folder that can be written`,
      );
    }
  }
}

/** It has no lock. Two on one home share a Matrix device and a radio, and the schema would change under it. */
function refuseBesideOldRelay(paths: AppPaths): void {
  const [pid] = oldRelaysOn(paths.database.path);
  if (pid === undefined) return;
  throw new RelayError(
    'STORE_IN_USE',
    `The Python relay (pid ${pid}) still runs on ${paths.home.path}: stop it, or give this one its own --home and login`,
  );
}

function alreadyRunning(paths: AppPaths, pid: number): RelayError {
  return new RelayError(
    'STORE_IN_USE',
    `Another mmrelay (pid ${pid}) already runs on ${paths.home.path}: stop it, or give this one its own --home`,
  );
}
