/** `!status`: both links, versions, what waits. */

import { definePlugin } from '../../src/plugins/api.ts';
import { statusShort, statusText } from './texts.ts';

const description = 'Show the state of the relay, its radio and its Matrix link';

// biome-ignore lint/style/noDefaultExport: a plugin is the default export of its file
export default definePlugin({
  name: 'status',
  version: '2.0.0',
  api: 1,
  description,
  needs: ['status'],
  commands: [
    {
      name: 'status',
      description,
      async run(_call, ctx) {
        const status = await ctx.status.get();
        const nowMs = ctx.clock.now();
        return { text: statusText(status, nowMs), short: statusShort(status, nowMs) };
      },
    },
  ],
});
