/** `!trace <node>`: the way to a node and back (traceroute). */

import { definePlugin } from '../../src/plugins/api.ts';
import { cutBytes, PACKET_BYTES } from '../shared/mesh-text.ts';
import { Tracer } from './tracer.ts';

const description = 'Show the way to a node and back';

/** A trace plugin that has not asked for anything yet. */
export function createTrace() {
  const tracer = new Tracer();
  return definePlugin({
    name: 'trace',
    version: '2.0.0',
    api: 1,
    description,
    needs: ['nodes', 'sendPacket'],
    commands: [
      {
        name: 'trace',
        description,
        help: 'Usage: !trace <node>\nOne at a time, one in 30 seconds.',
        args: { node: { type: 'node', description: 'Id or name of the node' } },
        async run(call, ctx) {
          const lines = await tracer.trace(Number(call.args.node), ctx);
          return { text: lines.join('\n'), short: cutBytes(lines.join(' | '), PACKET_BYTES) };
        },
      },
    ],
    onMeshPacket: (packet) => tracer.heard(packet),
  });
}

// biome-ignore lint/style/noDefaultExport: a plugin is the default export of its file
export default createTrace();
