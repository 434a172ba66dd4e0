/** `!queue`: what waits, and for how long. */

import { type CommandCall, definePlugin } from '../../src/plugins/api.ts';
import { cutBytes, PACKET_BYTES } from '../shared/mesh-text.ts';
import { type Queue, queueLine, queueShort } from './texts.ts';

const description = 'Show what waits to be sent, and how long it will take';

// biome-ignore lint/style/noDefaultExport: a plugin is the default export of its file
export default definePlugin({
  name: 'queue',
  version: '2.0.0',
  api: 1,
  description,
  needs: ['status'],
  commands: [
    {
      name: 'queue',
      description,
      async run(call, ctx) {
        const { queues, radios } = await ctx.status.get();
        const idle = radios
          .map(({ name }) => `radio:${name}`)
          .filter((lane) => !queues.some((queue) => queue.lane === lane))
          .map((lane): Queue => ({ lane, queued: 0, sent: 0, oldestMs: null, expectedMs: null }));
        const shown = [...queues.filter(({ lane }) => mayKnow(call, lane)), ...idle];
        const short = shown.filter(({ lane }) => lane.startsWith('radio:')).map(queueShort);
        return {
          text: shown.map(queueLine).join('\n'),
          short: cutBytes(`Waiting: ${short.join(', ')}`, PACKET_BYTES),
        };
      },
    },
  ],
});

/** Which other rooms the relay serves is nobody's business but the administrators'. */
function mayKnow({ admin, from }: CommandCall, lane: string): boolean {
  if (admin || !lane.startsWith('room:')) return true;
  return from.kind === 'room' && [`room:${from.message.room}`, `room:${from.message.roomId}`].includes(lane);
}
