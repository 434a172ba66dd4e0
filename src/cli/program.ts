import { Command, CommanderError, Option } from 'commander';
import { VERSION } from '../app/version.ts';
import { processEnv } from '../config/env.ts';
import { resolveHome } from '../config/paths.ts';
import { terminalAbilities } from '../config/terminal.ts';
import { EXIT, type ExitCode, exitCodeOf } from '../util/exit-code.ts';
import { nearest } from '../util/nearest.ts';
import { RelayError } from '../util/relay-error.ts';
import { addAccountCommands } from './commands/account.ts';
import { addConfigCommands } from './commands/config.ts';
import { addDaemonCommands, runRoot } from './commands/daemon.ts';
import { addDataCommands } from './commands/data.ts';
import { addInsightCommands } from './commands/insight.ts';
import { addPluginCommands } from './commands/plugins.ts';
import { addRadioCommands } from './commands/radio.ts';
import type { Registry } from './commands/registry.ts';
import type { GlobalFlags } from './context.ts';
import { printPlainly } from './plain-symbols.ts';

/**
 * Runs the command line.
 * @param argv without node and script; may begin with `mmrelay`, as the commands of people who know the image of the Python
 *   relay do: that one had no entry point, so that `docker run IMAGE mmrelay doctor` was right
 * @returns the exit code
 */
export async function runCli(argv: readonly string[]): Promise<ExitCode> {
  if (!terminalAbilities(processEnv(), process.stdout.isTTY === true).symbols) printPlainly(console);
  const outcome = { code: EXIT.ok as ExitCode };
  const program = buildProgram((code) => {
    outcome.code = code;
  });
  try {
    await program.parseAsync(argv[0] === 'mmrelay' ? argv.slice(1) : [...argv], { from: 'user' });
    return outcome.code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    console.error(isForPeople(error) ? error.message : error);
    return exitCodeOf(error);
  }
}

/** What the system refuses (a file where a folder should be, no permission) is no bug of ours: its sentence names the path. */
function isForPeople(error: unknown): error is Error {
  return error instanceof RelayError || (error instanceof Error && 'syscall' in error && 'path' in error);
}

/** Adds the options that every command takes, so that they may stand before or after its name. */
function withGlobals(command: Command): Command {
  return command
    .option('--config <path>', 'configuration file')
    .option('--home <path>', 'home folder (default: $MMRELAY_HOME or ~/.mmrelay)')
    .addOption(new Option('--base-dir <path>', 'older name of --home').hideHelp())
    .addOption(new Option('--data-dir <path>', 'older name of --home').hideHelp())
    .addOption(new Option('--log-level <level>', 'log level').choices(['error', 'warning', 'info', 'debug']))
    .option('--logfile <path>', 'log to this file as well');
}

const EXAMPLES = `
First steps:
  mmrelay demo                  see it work, with nothing installed
  mmrelay setup                 find the radio, log in, choose rooms, write the configuration
  mmrelay config check          name every problem of the configuration
  mmrelay                       run the relay
  mmrelay doctor                when something is wrong

Exit codes: 0 fine, 1 failure, 2 usage, 3 configuration, 4 credentials, 5 database or keys.`;

function buildProgram(finish: (code: ExitCode) => void): Command {
  const program = withGlobals(new Command('mmrelay'))
    .description('Joins Meshtastic radios and Matrix rooms. Without a command: runs the relay.')
    .version(`MMRelay version ${VERSION}`, '--version', 'show the version')
    .exitOverride()
    .showHelpAfterError('(run "mmrelay --help" for the options)')
    .addHelpText('after', EXAMPLES)
    .hook('preAction', (_program, action) => warnOfOldFlags(action.optsWithGlobals()));
  for (const flag of ['--generate-config', '--check-config', '--install-service', '--auth']) {
    program.addOption(new Option(flag).hideHelp());
  }
  program.allowExcessArguments().action(async (_flags, command: Command) => {
    const [unknown] = command.args;
    if (unknown !== undefined) program.error(unknownCommand(program, unknown), { exitCode: 2 });
    finish(await runRoot(command.optsWithGlobals()));
  });
  const registry: Registry = { program, withGlobals, finish };
  addDaemonCommands(registry);
  addConfigCommands(registry);
  addAccountCommands(registry);
  addInsightCommands(registry);
  addRadioCommands(registry);
  addDataCommands(registry);
  addPluginCommands(registry);
  for (const command of program.commands) command.helpGroup(groupOf(command.name()));
  return program;
}

/** In the words of commander, which cannot say it where a command may be left out. */
function unknownCommand(program: Command, word: string): string {
  const names = program.commands.map((command) => command.name());
  const meant = nearest(word, names);
  return `error: unknown command '${word}'${meant === null ? '' : `\n(Did you mean ${meant}?)`}`;
}

/** Headings of the help. */
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  'Run it:': ['run', 'reload', 'status', 'radio', 'demo'],
  'Set it up:': ['setup', 'config', 'auth', 'radios', 'plugins', 'service', 'completion'],
  'When something is wrong:': ['doctor', 'paths'],
  'Its data:': ['backup', 'restore', 'db', 'migrate', 'verify-migration'],
};

function groupOf(name: string): string {
  return Object.entries(GROUPS).find(([, names]) => names.includes(name))?.[0] ?? 'Commands:';
}

function warnOfOldFlags(flags: GlobalFlags): void {
  const { notices } = resolveHome({ cli: flags, env: processEnv(), cwd: process.cwd() });
  for (const notice of notices) console.error(`Warning: ${notice}`);
}
