import { Command, CommanderError, Option } from 'commander';
import { VERSION } from '../app/version.ts';
import { EXIT, type ExitCode, exitCodeOf } from '../util/exit-code.ts';
import { RelayError } from '../util/relay-error.ts';
import { authLogin, type LoginFlags } from './auth-login.ts';
import { configCheck } from './config-check.ts';
import type { GlobalFlags } from './context.ts';
import { type DemoFlags, demo } from './demo.ts';
import { run } from './run.ts';

/** Runs the command line. @param argv without node and script @returns the exit code */
export async function runCli(argv: readonly string[]): Promise<ExitCode> {
  const outcome = { code: EXIT.ok as ExitCode };
  const program = buildProgram((code) => {
    outcome.code = code;
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return outcome.code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    console.error(error instanceof RelayError ? error.message : error);
    return exitCodeOf(error);
  }
}

type Finish = (code: ExitCode) => void;

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

function buildProgram(finish: Finish): Command {
  const program = withGlobals(new Command('mmrelay'))
    .description('Joins Meshtastic radios and Matrix rooms. Without a command: runs the relay.')
    .version(`MMRelay version ${VERSION}`, '--version', 'show the version')
    .exitOverride()
    .showHelpAfterError('(run "mmrelay --help" for the options)')
    .action(async (_flags: GlobalFlags, command: Command) => finish(await run(command.optsWithGlobals())));
  addCommands(program, finish);
  return program;
}

function addCommands(program: Command, finish: Finish): void {
  withGlobals(program.command('run'))
    .description('run the relay (the same as no command)')
    .action(async (_flags, command: Command) => finish(await run(command.optsWithGlobals())));
  program
    .command('demo')
    .description('the whole relay between a virtual mesh and an in-memory homeserver; needs nothing')
    .option('--for <duration>', 'end after this time, as 10s or 2m')
    .option('--quiet', 'no scripted chatter, only what you type')
    .action(async (flags: DemoFlags) => finish(await demo(flags)));
  const config = program.command('config').description('configuration');
  withGlobals(config.command('check'))
    .description('check the configuration without starting anything')
    .option('--strict', 'treat warnings as errors')
    .action((_flags, command: Command) => finish(configCheck(command.optsWithGlobals())));
  const auth = program.command('auth').description('the Matrix account');
  withGlobals(auth.command('login'))
    .description('log in with a password and store the session')
    .option('--homeserver <url>', 'homeserver, as https://matrix.org')
    .option('--username <user>', 'user name or full id')
    .option('--password <password>', 'password (seen by other users of this machine; prefer the next two)')
    .option('--password-stdin', 'read the password from standard input')
    .option('--password-file <path>', 'read the password from a file')
    .action(async (_flags, command: Command) => finish(await authLogin(command.optsWithGlobals<LoginFlags>())));
}
