import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { AppPaths } from '../config/paths.ts';
import type { RelayConfig } from '../config/types.ts';
import { chooseFormat, LogSystem } from '../observe/logger.ts';
import { acquireLock } from '../observe/process-lock.ts';
import { ReadyFile } from '../observe/ready-file.ts';
import { Redactor } from '../observe/redact.ts';
import { type Clock, systemClock } from '../util/clock.ts';
import { EXIT, type ExitCode, exitCodeOf } from '../util/exit-code.ts';
import type { Logger } from '../util/logger.ts';
import { errorText, RelayError } from '../util/relay-error.ts';
import { createDaemon, type Daemon } from './daemon.ts';
import { shutDown } from './shutdown.ts';
import { VERSION } from './version.ts';

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
}

const HEALTH_CHECK_MS = 1_000;

/** Runs the relay until a signal or a fatal failure. @returns the exit code */
export async function runDaemon(options: RunOptions): Promise<ExitCode> {
  const clock = systemClock;
  const signals = catchSignals(options.stopSignal);
  const log = openLog(options, clock);
  const { logger } = log;
  logger.info('Starting mmrelay', { version: VERSION, home: options.paths.home.path, pid: process.pid });
  try {
    makeHome(options.paths);
    const lock = acquireLock({ path: options.paths.lockFile.path, clock });
    if (!lock.ok) throw alreadyRunning(options.paths, lock.owner.pid);
    try {
      return await runLocked(options, { clock, logger, signals });
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
    logger.info('mmrelay has stopped');
    log.close();
  }
}

interface Running {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signals: Signals;
}

async function runLocked(options: RunOptions, { clock, logger, signals }: Running): Promise<ExitCode> {
  const fatal: { error: unknown }[] = [];
  const daemon = createDaemon({
    ...options,
    clock,
    random: Math.random,
    logger,
    onFatal: (error) => {
      fatal.push({ error });
      signals.stop();
    },
  });
  const ready = readyFile(options, { clock, logger, daemon });
  daemon.start();
  const watch = watchReadiness(daemon, { clock, logger, ready });
  await signals.first;
  logger.info('Stopping');
  watch();
  ready?.stop();
  await shutDown({ clock, logger, stop: () => daemon.stop(), impatient: signals.second });
  const [first] = fatal;
  if (first !== undefined) throw first.error;
  return EXIT.ok;
}

function watchReadiness(
  daemon: Daemon,
  context: { readonly clock: Clock; readonly logger: Logger; readonly ready: ReadyFile | null },
): () => void {
  const { clock, logger, ready } = context;
  let said = '';
  let cancel = (): void => undefined;
  const look = (): void => {
    const report = daemon.health();
    const words = [report.state, ...report.reasons].join('; ');
    if (words !== said && report.state === 'ready') logger.info('Relay startup complete: both sides are up');
    if (words !== said && report.state === 'degraded') logger.warn('Relay is degraded', { reasons: report.reasons });
    said = words;
    if (report.ready) ready?.show();
    ready?.update();
    cancel = clock.after(HEALTH_CHECK_MS, look);
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
    colour: logging.color && terminal,
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
    } catch (error) {
      throw new RelayError(
        'CONFIG_HOME_UNWRITABLE',
        `${folder} cannot be created (${errorText(error)}): set MMRELAY_HOME or --home to a folder that can be written`,
      );
    }
  }
}

function alreadyRunning(paths: AppPaths, pid: number): RelayError {
  return new RelayError(
    'STORE_IN_USE',
    `Another mmrelay (pid ${pid}) already runs on ${paths.home.path}: stop it, or give this one its own --home`,
  );
}

interface Signals {
  /** Resolves at the first request to stop. */
  readonly first: Promise<void>;
  /** Aborts at the second. */
  readonly second: AbortSignal;
  stop(): void;
  release(): void;
}

/** Signal handlers come first thing, so that a stop during start is a stop. */
function catchSignals(outer: AbortSignal | undefined): Signals {
  const { promise: first, resolve } = Promise.withResolvers<void>();
  const second = new AbortController();
  let count = 0;
  const stop = (): void => {
    count += 1;
    if (count > 1) second.abort();
    resolve();
  };
  const names = ['SIGINT', 'SIGTERM'] as const;
  for (const name of names) process.on(name, stop);
  if (outer?.aborted) stop();
  outer?.addEventListener('abort', stop, { once: true });
  return {
    first,
    second: second.signal,
    stop,
    release: () => {
      for (const name of names) process.off(name, stop);
      outer?.removeEventListener('abort', stop);
    },
  };
}
