/** `!nodes [page]`: what the relay knows of the nodes. */

import { definePlugin } from '../../src/plugins/api.ts';
import { pageOf, utf8Length } from '../shared/mesh-text.ts';
import { nodeLine, nodeShort } from './listing.ts';

const description =
  'Show mesh radios and node data\n\n$shortname $longname / $devicemodel / $battery $voltage / $snr / $hops / $lastseen';

/** An event takes 64 KB in all, encrypted. */
const ROOM_BYTES = 20_000;

// biome-ignore lint/style/noDefaultExport: a plugin is the default export of its file
export default definePlugin({
  name: 'nodes',
  version: '2.0.0',
  api: 1,
  description,
  needs: ['nodes', 'telemetry'],
  commands: [
    {
      name: 'nodes',
      description,
      args: { page: { type: 'integer', min: 1, optional: true, description: 'Page of a long list' } },
      async run({ args }, ctx) {
        const [nodes, metrics, own] = await Promise.all([ctx.nodes.list(), ctx.telemetry.all(), ctx.nodes.own()]);
        if (own === null && nodes.length === 0) throw ctx.fail('Unable to connect to Meshtastic device.');
        const listed = nodes.map((node) => ({ node, metrics: metrics.get(node.num) ?? null }));
        const nowS = ctx.clock.now() / 1000;
        const lines = listed.map((one) => nodeLine(one, { nowS, timeZone: ctx.timeZone }));
        const newestFirst = [...listed].sort((a, b) => b.node.lastHeardS - a.node.lastHeardS);
        const page = Number(args.page ?? 1);
        const title = `Nodes: ${nodes.length}`;
        const whole = `${[title, ...lines].join('\n')}\n`;
        const paged = pageOf({ title, lines, page, command: '!nodes', maxBytes: ROOM_BYTES });
        const short = newestFirst.map((one) => nodeShort(one, nowS));
        return {
          text: utf8Length(whole) <= ROOM_BYTES ? whole : paged,
          short: pageOf({ title, lines: short, page, command: '!nodes' }),
        };
      },
    },
  ],
});
