/** `!ping`: is the relay there? */

import { definePlugin } from '../../src/plugins/api.ts';
import { configSchema } from './config.ts';
import { hopsSuffix, mimicPing } from './reply.ts';

const description = 'Check connectivity with the relay; optional mimic mode responds to mesh pings';

// biome-ignore lint/style/noDefaultExport: a plugin is the default export of its file
export default definePlugin({
  name: 'ping',
  version: '2.0.0',
  api: 1,
  description,
  configSchema,
  commands: [
    {
      name: 'ping',
      description,
      run({ from }, { config }) {
        if (from.kind === 'room') return 'pong!';
        const { text, packet } = from.message;
        const pong = config.mimic_mode ? (mimicPing(text) ?? 'pong!') : 'pong!';
        return config.display_hops ? `${pong}${hopsSuffix(packet.hops)}` : pong;
      },
    },
  ],
  async onMeshText(message, ctx) {
    const pong = ctx.config.mimic_mode ? mimicPing(message.text) : null;
    if (pong === null) return false;
    ctx.claim();
    await ctx.reply(ctx.config.display_hops ? `${pong}${hopsSuffix(message.packet.hops)}` : pong);
    return true;
  },
});
