/**
 * The relay as a process that can be killed, on a clock that runs faster (argv: one JSON object). Everything else is
 * what `mmrelay` runs: createDaemon with the parsed configuration. Says `ready` on stdout when both sides are up; the log goes to stderr.
 */
import { writeSync } from 'node:fs';
import { createDaemon } from '../../../src/app/daemon/daemon.ts';
import { parseConfig } from '../../../src/config/load.ts';
import { resolvePaths } from '../../../src/config/paths.ts';
import { LogSystem } from '../../../src/observe/logger.ts';
import { Redactor } from '../../../src/observe/redact.ts';
import { scaledClock } from '../../support/scaled-clock.ts';
import type { ChildOptions } from './relay-process.ts';

const { home, configText, factor, originMs, logLevel } = JSON.parse(process.argv[2] ?? '') as ChildOptions;
const clock = scaledClock(factor, originMs);
const { config, problems } = parseConfig({ text: configText, file: null, env: {} });
if (config === null) throw new Error(JSON.stringify(problems));
const log = new LogSystem({
  level: logLevel,
  levels: {},
  format: 'json',
  colour: false,
  messageText: true,
  redactor: new Redactor(),
  clock,
  write: (line) => writeSync(2, `${line}\n`),
  file: null,
});
const daemon = createDaemon({
  config,
  paths: resolvePaths({ cli: { home }, env: {}, cwd: home, config }),
  clock,
  random: Math.random,
  logger: log.logger,
  onFatal: (error) => {
    writeSync(2, `FATAL ${error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(70);
  },
});
daemon.start();
const watch = setInterval(() => {
  if (daemon.health().state !== 'ready') return;
  clearInterval(watch);
  writeSync(1, 'ready\n');
}, 10);
process.once('SIGTERM', () => {
  clearInterval(watch);
  void daemon.stop().then(() => process.exit(0));
});
