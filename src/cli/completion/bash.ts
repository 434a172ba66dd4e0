import type { Command } from 'commander';
import { argumentValues, long, options, places, subcommands, takesAnything, valuedOptions } from './words.ts';

/** The completion script for bash. */
export function bashScript(program: Command): string {
  const all = places(program);
  const valued = valuedOptions(all);
  const cases = all.map(({ command, path }) => {
    const words = `words="${wordsOf(command).join(' ')}"`;
    return `    "${path.join(' ')}") ${takesAnything(command) ? `[[ $current != -* ]] || ${words}` : words} ;;`;
  });
  const choices = valued.flatMap((option) =>
    option.argChoices ? [`      ${long(option)}) words="${option.argChoices.join(' ')}" ;;`] : [],
  );
  return `_mmrelay() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path="" words="" word option=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    if [[ -n $option ]]; then option=""
    elif [[ " ${valued.map(long).join(' ')} " == *" $word "* ]]; then option="$word"
    elif [[ $word != -* ]]; then path="\${path:+$path }$word"; fi
  done
  if [[ -n $option ]]; then
    case "$option" in
${choices.join('\n')}
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

/** What may follow a command: sub-commands, values of its argument, options. */
function wordsOf(command: Command): readonly string[] {
  const subs = subcommands(command).map((sub) => sub.name());
  return [...subs, ...argumentValues(command), ...options(command).map(long)].filter(Boolean);
}
