/** The texts of help. */

import type { CommandInfo } from '../../src/plugins/api.ts';

/** `Available commands: health, map, ping`. */
export function listCommands(commands: readonly Pick<CommandInfo, 'name' | 'aliases'>[]): string {
  const names = new Set(commands.flatMap(({ name, aliases }) => [name, ...aliases]));
  return `Available commands: ${[...names].sort(byCodePoint).join(', ')}`;
}

function byCodePoint(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** `` `!ping`: Check connectivity ... ``, or that there is no such command. A leading `!` and the case do not matter. */
export function explainCommand(commands: readonly CommandInfo[], asked: string): string | null {
  const wanted = asked.replace(/^!/, '').toLowerCase();
  const command = commands.find(({ name, aliases }) => [name, ...aliases].some((one) => one.toLowerCase() === wanted));
  if (command === undefined) return null;
  const more = command.help === null || command.help === command.description ? '' : `\n\n${command.help}`;
  return `\`!${command.name}\`: ${command.description}${more}`;
}
