import type { Command } from 'commander';
import type { ExitCode } from '../../util/exit-code.ts';
import type { GlobalFlags } from '../context.ts';

/** What is needed to add commands to the program. */
export interface Registry {
  readonly program: Command;
  /** Adds the options that every command takes. */
  readonly withGlobals: (command: Command) => Command;
  readonly finish: (code: ExitCode) => void;
}

export interface CommandText {
  /** Name and arguments, as `restore <file>`. */
  readonly usage: string;
  readonly description: string;
  readonly hidden?: boolean;
  /** More help, after the options. */
  readonly more?: string;
}

/**
 * Adds one command. `run` should load its module itself: a probe that asks `doctor` every minute pays for what is
 * loaded at start.
 */
export function addCommand<Flags extends GlobalFlags>(
  registry: Registry,
  parent: Command,
  text: CommandText,
  run: (flags: Flags, args: readonly string[]) => Promise<ExitCode>,
): Command {
  const command = registry
    .withGlobals(parent.command(text.usage, { hidden: text.hidden === true }))
    .description(text.description)
    .allowExcessArguments(false);
  if (text.more !== undefined) command.addHelpText('after', text.more);
  return command.action(async () => {
    registry.finish(await run(command.optsWithGlobals<Flags>(), command.args));
  });
}
