import type { Command, Option } from 'commander';
import { EXIT, type ExitCode } from '../util/exit-code.ts';

/** `mmrelay completion <shell>`. */
export function completion(shell: string, program: Command): ExitCode {
  if (shell === 'bash') console.log(bash(program));
  else if (shell === 'zsh')
    console.log(`#compdef mmrelay\nautoload -U +X bashcompinit && bashcompinit\n${bash(program)}`);
  else console.log(fish(program));
  return EXIT.ok;
}

/** A command with the words that lead to it; none for the program itself. */
interface Place {
  readonly command: Command;
  readonly path: readonly string[];
}

function places(command: Command, path: readonly string[] = []): Place[] {
  return [{ command, path }, ...subcommands(command).flatMap((sub) => places(sub, [...path, sub.name()]))];
}

function subcommands(command: Command): Command[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .filter((sub) => sub.name() !== 'help');
}

function options(command: Command): readonly Option[] {
  return command.createHelp().visibleOptions(command);
}

function long({ long: name }: Option): string {
  return name ?? '';
}

/** What may follow a command: sub-commands, values of its argument, options. */
function wordsOf(command: Command): readonly string[] {
  const values = command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []);
  return [...subcommands(command).map((sub) => sub.name()), ...values, ...options(command).map(long)].filter(Boolean);
}

/** True when a word of the user's own comes next: a file, a name. */
function takesAnything(command: Command): boolean {
  return command.registeredArguments.some(({ argChoices }) => argChoices === undefined);
}

function bash(program: Command): string {
  const all = places(program);
  const cases = all.map(({ command, path }) => {
    const words = `words="${wordsOf(command).join(' ')}"`;
    return `    "${path.join(' ')}") ${takesAnything(command) ? `[[ $current != -* ]] || ${words}` : words} ;;`;
  });
  const valued = all
    .flatMap(({ command }) => options(command))
    .filter(({ required, optional }) => required || optional);
  const choices = new Map(valued.flatMap((option) => (option.argChoices ? [[long(option), option.argChoices]] : [])));
  const choiceCases = [...choices].map(([name, list]) => `      ${name}) words="${list.join(' ')}" ;;`);
  return `_mmrelay() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path="" words="" word option=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    if [[ -n $option ]]; then option=""
    elif [[ " ${[...new Set(valued.map(long))].join(' ')} " == *" $word "* ]]; then option="$word"
    elif [[ $word != -* ]]; then path="\${path:+$path }$word"; fi
  done
  if [[ -n $option ]]; then
    case "$option" in
${choiceCases.join('\n')}
    esac
  else case "$path" in
${cases.join('\n')}
  esac; fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  if [[ -z $words ]]; then
    compopt -o filenames 2>/dev/null
    COMPREPLY=($(compgen -f -- "$current"))
  fi
}
complete -F _mmrelay mmrelay`;
}

function fish(program: Command): string {
  return places(program).flatMap(fishLines).join('\n');
}

function fishLines({ command, path }: Place): readonly string[] {
  const text = (words: string): string => `'${words.replaceAll("'", '')}'`;
  const seen = path.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and ');
  const subs = subcommands(command);
  // Once a sub-command is there, its sisters are of no use.
  const before = subs.length === 0 ? '' : `not __fish_seen_subcommand_from ${subs.map((sub) => sub.name()).join(' ')}`;
  const when = [seen, before].filter(Boolean).join('; and ');
  const start = `complete -c mmrelay${when === '' ? '' : ` -n '${when}'`}`;
  const values = command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []);
  return [
    ...subs.map((sub) => `${start} -f -a ${sub.name()} -d ${text(sub.description())}`),
    ...values.map((value) => `${start} -f -a ${value}`),
    ...options(command).map((option) => {
      const list = option.argChoices === undefined ? '' : ` -f -a '${option.argChoices.join(' ')}'`;
      const value = option.required ? ` -r${list}` : '';
      return `${start} -l ${long(option).slice(2)}${value} -d ${text(option.description)}`;
    }),
  ];
}
