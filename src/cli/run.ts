import { runDaemon } from '../app/daemon/run-daemon.ts';
import type { LogLevel, RelayConfig } from '../config/types.ts';
import type { ExitCode } from '../util/exit-code.ts';
import { findConfig, type GlobalFlags, loadSetup } from './context.ts';

/** `mmrelay`: the daemon. */
export function run(flags: GlobalFlags): Promise<ExitCode> {
  const { config, paths, found } = loadSetup(flags);
  return runDaemon({
    config: withFlags(config, flags),
    paths,
    secrets: found.secrets,
    write: (line) => process.stdout.write(line),
    terminal: process.stdout.isTTY === true,
    readConfig: () => {
      const again = findConfig(flags);
      return again.config === null ? again : { ...again, config: withFlags(again.config, flags) };
    },
  });
}

/** The command line beats the file, at a reload as well. */
function withFlags(config: RelayConfig, flags: GlobalFlags): RelayConfig {
  const level: LogLevel = flags.logLevel === 'warning' ? 'warn' : (flags.logLevel ?? config.logging.level);
  const toFile = config.logging.toFile || flags.logfile !== undefined;
  return { ...config, logging: { ...config.logging, level, toFile } };
}
