/** Every packet into the log, at level debug. No texts: their length only. */

import { definePlugin } from '../../src/plugins/api.ts';

// biome-ignore lint/style/noDefaultExport: a plugin is the default export of its file
export default definePlugin({
  name: 'debug',
  version: '2.0.0',
  api: 1,
  description: 'Log every packet of the mesh at level debug',
  priority: 1,
  onMeshPacket({ payload, decoded, ...packet }, ctx) {
    ctx.logger.debug('Packet', {
      ...packet,
      payloadBytes: payload.length,
      // What people write stays out of the log.
      decoded: decoded?.kind === 'text' ? { kind: 'text' } : decoded,
    });
  },
});
