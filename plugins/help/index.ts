/** `!help [command]`. */

import { type CommandInfo, definePlugin } from '../../src/plugins/api.ts';
import { cutBytes, PACKET_BYTES, pageOf } from '../shared/mesh-text.ts';
import { explainCommand, listCommands } from './texts.ts';

const description = 'List supported relay commands';

// biome-ignore lint/style/noDefaultExport: a plugin is the default export of its file
export default definePlugin({
  name: 'help',
  version: '2.0.0',
  api: 1,
  description,
  needs: ['plugins'],
  commands: [
    {
      name: 'help',
      description,
      help: 'Usage: !help [command]',
      async run({ argText, from, admin }, ctx) {
        const side = from.kind;
        const all = await ctx.plugins.commands();
        const usable = all.filter(({ on, admin: guarded }) => on.includes(side) && (!guarded || admin));
        if (/^\d*$/.test(argText))
          return { text: listCommands(usable), markdown: true, short: shortList(usable, Number(argText)) };
        const text = explainCommand(usable, argText);
        if (text === null) throw ctx.fail(`No such command: ${argText}`);
        return { text, markdown: true, short: cutBytes(text.replaceAll('`', '').replace(/\n+/g, ' '), PACKET_BYTES) };
      },
    },
  ],
});

/** Names only, several to a line. */
function shortList(commands: readonly CommandInfo[], page: number): string {
  const names = commands.map(({ name }) => `!${name}`).sort();
  const lines = Array.from({ length: Math.ceil(names.length / 4) }, (_, row) =>
    names.slice(row * 4, row * 4 + 4).join(' '),
  );
  return pageOf({ title: 'Commands:', lines, page: page || 1, command: '!help' });
}
