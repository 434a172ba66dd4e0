import type { Command } from 'commander';
import {
  argumentValues,
  long,
  options,
  type Place,
  places,
  subcommands,
  takesAnything,
  valuedOptions,
} from './words.ts';

/** The completion script for zsh: to be sourced, or to lie as `_mmrelay` in a folder of `$fpath`. */
export function zshScript(program: Command): string {
  const all = places(program);
  const valued = valuedOptions(all);
  const choices = valued.flatMap((option) =>
    option.argChoices ? [`    ${long(option)}) compadd -- ${option.argChoices.join(' ')}; return ;;`] : [],
  );
  return `#compdef mmrelay
_mmrelay() {
  local place="" word option="" files=""
  local -a subs opts
  for word in "\${(@)words[2,CURRENT-1]}"; do
    if [[ -n $option ]]; then option=""
    elif [[ " ${valued.map(long).join(' ')} " == *" $word "* ]]; then option="$word"
    elif [[ $word != -* ]]; then place="\${place:+$place }$word"; fi
  done
  case "$option" in
    "") ;;
${choices.join('\n')}
    *) _files; return ;;
  esac
  case "$place" in
${all.map(placeCase).join('\n')}
    *) files=yes ;;
  esac
  if [[ $PREFIX == -* ]]; then _describe -o 'option' opts
  elif [[ -n $files ]]; then _files
  elif (( $#subs )); then _describe 'command' subs
  else _describe -o 'option' opts; fi
}
if [[ $funcstack[1] == _mmrelay ]]; then _mmrelay "$@"; else compdef _mmrelay mmrelay; fi`;
}

function placeCase({ command, path }: Place): string {
  const subs = [
    ...subcommands(command).map((sub) => described(sub.name(), sub.description())),
    ...argumentValues(command).map((value) => described(value, '')),
  ];
  const opts = options(command).map((option) => described(long(option), option.description));
  const files = takesAnything(command) ? ' files=yes' : '';
  return `    "${path.join(' ')}") subs=(${subs.join(' ')}) opts=(${opts.join(' ')})${files} ;;`;
}

/** `'name:what it is'`; the colon in the middle is the first one that counts. */
function described(name: string, text: string): string {
  return `'${name}${text === '' ? '' : `:${text.replaceAll("'", '’')}`}'`;
}
