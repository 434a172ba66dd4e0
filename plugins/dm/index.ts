/** `!dm <node> <text>`: a direct message from a room to one node, under the name of its writer. */

import { definePlugin } from '../../src/plugins/api.ts';
import { cutBytes } from '../shared/mesh-text.ts';
import { configSchema } from './config.ts';

const description = 'Send a direct message to one node of the mesh';
/** A name must leave room for the text. */
const NAME_BYTES = 40;

// biome-ignore lint/style/noDefaultExport: a plugin is the default export of its file
export default definePlugin({
  name: 'dm',
  version: '2.0.0',
  api: 1,
  description,
  configSchema,
  needs: ['nodes', 'sendMesh'],
  commands: ({ admin_only: admin }) => [
    {
      name: 'dm',
      description,
      help: 'Usage: !dm <node> <text>\nThe node is an id, a short name, or a long name without spaces.',
      on: ['room'],
      admin,
      cooldownMs: 3000,
      args: {
        node: { type: 'node', description: 'Id or name of the node' },
        text: { type: 'text', description: 'What to send' },
      },
      async run(call, ctx) {
        if (call.from.kind !== 'room') return undefined;
        const node = await ctx.nodes.find(Number(call.args.node));
        if (node === null) throw ctx.fail('No such node.');
        if (node.own) throw ctx.fail('That is the node of the relay itself.');
        const { sender, senderName } = call.from.message;
        const name = cutBytes(senderName.replace(/\s+/g, ' ').trim() || sender, NAME_BYTES);
        await ctx.sendMesh({ text: `${name} (Matrix): ${call.args.text}`, to: node.num, radio: node.radio });
        return `On its way to ${node.shortName ?? node.id}.`;
      },
    },
  ],
});
