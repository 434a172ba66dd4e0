import type { Command } from 'commander';
import { argumentValues, long, options, type Place, places, subcommands, takesAnything } from './words.ts';

/** The completion script for fish. */
export function fishScript(program: Command): string {
  return places(program).flatMap(fishLines).join('\n');
}

function fishLines({ command, path }: Place): readonly string[] {
  const text = (words: string): string => `'${words.replaceAll("'", '’')}'`;
  const seen = path.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and ');
  const subs = subcommands(command);
  // Once a sub-command is there, its sisters are of no use.
  const before = subs.length === 0 ? '' : `not __fish_seen_subcommand_from ${subs.map((sub) => sub.name()).join(' ')}`;
  const when = [seen, before].filter(Boolean).join('; and ');
  const start = `complete -c mmrelay${when === '' ? '' : ` -n '${when}'`}`;
  return [
    ...(takesAnything(command) ? [] : [`${start} -f`]),
    ...subs.map((sub) => `${start} -f -a ${sub.name()} -d ${text(sub.description())}`),
    ...argumentValues(command).map((value) => `${start} -f -a ${value}`),
    ...options(command).map((option) => {
      const list = option.argChoices === undefined ? '' : ` -f -a '${option.argChoices.join(' ')}'`;
      const value = option.required ? ` -r${list || ' -F'}` : '';
      return `${start} -l ${long(option).slice(2)}${value} -d ${text(option.description)}`;
    }),
  ];
}
