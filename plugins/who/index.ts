/** `!who [15m|24h|7d] [page]`: who was heard lately, by hops. */

import { definePlugin } from '../../src/plugins/api.ts';
import { pageOf } from '../shared/mesh-text.ts';
import { heardWithin, parseWho, whoLines, whoShort, whoTitle } from './groups.ts';

const description = 'Show who was heard lately, by hops';
const USAGE = 'Usage: !who [15m|24h|7d] [page]';
const ROOM_BYTES = 20_000;

// biome-ignore lint/style/noDefaultExport: a plugin is the default export of its file
export default definePlugin({
  name: 'who',
  version: '2.0.0',
  api: 1,
  description,
  needs: ['nodes'],
  commands: [
    {
      name: 'who',
      description,
      help: USAGE,
      async run({ argText }, ctx) {
        const request = parseWho(argText);
        if (request === null) throw ctx.fail(USAGE);
        const { spanMs, page } = request;
        const nowS = ctx.clock.now() / 1000;
        const nodes = await ctx.nodes.list();
        const heard = heardWithin(nodes, spanMs, nowS);
        const title = whoTitle(heard.length, nodes.filter(({ own }) => !own).length, spanMs);
        const span = argText.split(/\s+/).find((word) => /[mhd]$/i.test(word));
        const command = span === undefined ? '!who' : `!who ${span}`;
        return {
          text: pageOf({ title, lines: whoLines(heard, nowS), page, command, maxBytes: ROOM_BYTES }),
          short: pageOf({ title, lines: whoShort(heard, nowS), page, command }),
        };
      },
    },
  ],
});
