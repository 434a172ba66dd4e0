import { runDaemon } from '../app/run-daemon.ts';
import type { LoggingConfig, LogLevel } from '../config/types.ts';
import type { ExitCode } from '../util/exit-code.ts';
import { type GlobalFlags, loadSetup } from './context.ts';

/** `mmrelay`: the daemon. */
export function run(flags: GlobalFlags): Promise<ExitCode> {
  const { config, paths, found } = loadSetup(flags);
  const level: LogLevel = flags.logLevel === 'warning' ? 'warn' : (flags.logLevel ?? config.logging.level);
  const toFile = config.logging.toFile || flags.logfile !== undefined;
  const logging: LoggingConfig = { ...config.logging, level, toFile };
  return runDaemon({
    config: { ...config, logging },
    paths,
    secrets: found.secrets,
    write: (line) => process.stdout.write(`${line}\n`),
    terminal: process.stdout.isTTY === true,
  });
}
