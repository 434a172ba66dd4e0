import type { Command, Option } from 'commander';

/** A command with the words that lead to it; none for the program itself. */
export interface Place {
  readonly command: Command;
  readonly path: readonly string[];
}

/** The program and every command below it. */
export function places(command: Command, path: readonly string[] = []): Place[] {
  return [{ command, path }, ...subcommands(command).flatMap((sub) => places(sub, [...path, sub.name()]))];
}

export function subcommands(command: Command): Command[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .filter((sub) => sub.name() !== 'help');
}

export function options(command: Command): readonly Option[] {
  return command.createHelp().visibleOptions(command);
}

/** `--json`. */
export function long({ long: name }: Option): string {
  return name ?? '';
}

/** Words that its arguments take. */
export function argumentValues(command: Command): readonly string[] {
  return command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []);
}

/** True when a word of the user's own comes next: a file, a name. */
export function takesAnything(command: Command): boolean {
  return command.registeredArguments.some(({ argChoices }) => argChoices === undefined);
}

/** Options, of all commands, that are followed by a value. */
export function valuedOptions(all: readonly Place[]): readonly Option[] {
  const valued = all
    .flatMap(({ command }) => options(command))
    .filter(({ required, optional }) => required || optional);
  return [...new Map(valued.map((option) => [long(option), option])).values()];
}
