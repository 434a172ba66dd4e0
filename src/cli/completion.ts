import type { Command } from 'commander';
import { EXIT, type ExitCode } from '../util/exit-code.ts';

/** `mmrelay completion <shell>`. */
export function completion(shell: string, program: Command): ExitCode {
  const words = wordsByPath(program);
  if (shell === 'bash') console.log(bash(words));
  else if (shell === 'zsh')
    console.log(`#compdef mmrelay\nautoload -U +X bashcompinit && bashcompinit\n${bash(words)}`);
  else if (shell === 'fish') console.log(fish(program));
  else {
    console.error(`error: there are completions for bash, zsh and fish, not for '${shell}'`);
    return EXIT.usage;
  }
  return EXIT.ok;
}

/** What may follow each command, by its path: '' for the program itself. */
function wordsByPath(program: Command): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  const visit = (command: Command, path: string): void => {
    found.set(path, [...visible(command).map((sub) => sub.name()), ...longOptions(command)]);
    for (const sub of visible(command)) visit(sub, path === '' ? sub.name() : `${path} ${sub.name()}`);
  };
  visit(program, '');
  return found;
}

function visible(command: Command): Command[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .filter((sub) => sub.name() !== 'help');
}

function longOptions(command: Command): string[] {
  const options = command.createHelp().visibleOptions(command);
  return options.map(({ long }) => long ?? '').filter((long) => long !== '');
}

function bash(words: ReadonlyMap<string, readonly string[]>): string {
  const cases = [...words].map(([path, list]) => `    "${path}") words="${list.join(' ')}" ;;`);
  return `_mmrelay() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path="" words="" word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    [[ $word == -* ]] || path="\${path:+$path }$word"
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [[ \${#COMPREPLY[@]} -gt 0 ]] || COMPREPLY=($(compgen -f -- "$current"))
}
complete -F _mmrelay mmrelay`;
}

function fish(program: Command): string {
  const lines: string[] = [];
  const text = (words: string): string => `'${words.replaceAll("'", '')}'`;
  const visit = (command: Command, condition: string): void => {
    for (const sub of visible(command)) {
      lines.push(`complete -c mmrelay -n '${condition}' -f -a ${sub.name()} -d ${text(sub.description())}`);
      visit(sub, `__fish_seen_subcommand_from ${sub.name()}`);
    }
    for (const option of command.createHelp().visibleOptions(command)) {
      const name = option.long?.slice(2);
      if (name !== undefined)
        lines.push(`complete -c mmrelay -n '${condition}' -l ${name} -d ${text(option.description)}`);
    }
  };
  visit(program, '__fish_use_subcommand');
  return lines.join('\n');
}
