/** `!health`: battery, signal and air time of the mesh. */

import { definePlugin } from '../../src/plugins/api.ts';
import { healthLine, healthText } from './summary.ts';

const description = 'Show mesh health using avg battery, SNR, AirUtil';

// biome-ignore lint/style/noDefaultExport: a plugin is the default export of its file
export default definePlugin({
  name: 'health',
  version: '2.0.0',
  api: 1,
  description,
  needs: ['nodes', 'telemetry'],
  commands: [
    {
      name: 'health',
      description,
      async run(_call, ctx) {
        const [nodes, metrics, own] = await Promise.all([ctx.nodes.list(), ctx.telemetry.all(), ctx.nodes.own()]);
        if (own === null && nodes.length === 0) throw ctx.fail('Unable to connect to Meshtastic device.');
        const health = nodes.map(({ num, snr }) => {
          const { batteryLevel = null, airUtilTx = null } = metrics.get(num) ?? {};
          return { batteryLevel, airUtilTx, snr };
        });
        return { text: healthText(health), short: healthLine(health) };
      },
    },
  ],
});
