/** `!drop <text>`: leave a text at your position for others who come by. */

import { definePlugin } from '../../src/plugins/api.ts';
import { configSchema } from './config.ts';
import { DropBox } from './drop-box.ts';

const description = 'Leave a text at your position; nodes that come near get it as a direct message';
/** A drop plugin that has not read its texts yet. */
function createDrop() {
  const box = new DropBox();
  return definePlugin({
    name: 'drop',
    version: '2.0.0',
    api: 1,
    description,
    configSchema,
    needs: ['positions', 'nodes', 'store', 'sendMesh'],
    commands: [
      {
        name: 'drop',
        description,
        help: 'Usage: !drop <text>',
        on: ['mesh'],
        anywhere: true,
        async run({ argText, from }, ctx) {
          if (from.kind !== 'mesh') return undefined;
          return { text: await box.leave(argText, from.message.packet, ctx), private: true };
        },
      },
    ],
    start: (ctx) => box.load(ctx),
    onMeshPacket: (packet, ctx) => box.deliver(packet, ctx),
  });
}

// biome-ignore lint/style/noDefaultExport: a plugin is the default export of its file
export default createDrop();
