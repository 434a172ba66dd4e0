/** `!radio`: how the radios are; lets one go for a phone, and takes it back. */

import { definePlugin, type MessageContext } from '../../src/plugins/api.ts';
import { cutBytes, PACKET_BYTES } from '../shared/mesh-text.ts';
import { longDuration } from '../shared/when.ts';
import { radioLine, radioShort } from './texts.ts';

const description = 'Show the radios; let one go for a phone for a while, and take it back';
const DEFAULT_MS = 600_000;

type Context = MessageContext<Readonly<Record<never, never>>, 'status' | 'radios'>;

// biome-ignore lint/style/noDefaultExport: a plugin is the default export of its file
export default definePlugin({
  name: 'radio',
  version: '2.0.0',
  api: 1,
  description,
  needs: ['status', 'radios'],
  commands: [
    {
      name: 'radio',
      description,
      help: `Usage: !radio, !radio release [time] [radio], !radio claim
A released radio is free for a phone or another program, for ten minutes or the time given; texts for it wait.
Then the relay takes it back; claim does so at once. Only for admins, in rooms.`,
      args: {
        action: { type: 'choice', choices: ['status', 'release', 'claim'], optional: true, description: 'What to do' },
        time: { type: 'duration', optional: true, description: 'For how long, as 10m' },
        radio: { type: 'word', optional: true, description: 'Which one, where there are several' },
      },
      async run({ args, admin }, ctx) {
        const radio = args.radio === undefined ? undefined : String(args.radio);
        if (args.action === undefined || args.action === 'status') return show(ctx);
        if (!admin) throw ctx.fail('Only an admin of the relay may do that, in a room.');
        return inWords(
          ctx,
          args.action === 'claim' ? claim(ctx, radio) : release(ctx, Number(args.time ?? DEFAULT_MS), radio),
        );
      },
    },
  ],
});

async function show(ctx: Context): Promise<{ readonly text: string; readonly short: string }> {
  const { radios } = await ctx.status.get();
  const nowMs = ctx.clock.now();
  return {
    text: radios.map((radio) => radioLine(radio, nowMs)).join('\n'),
    short: cutBytes(radios.map((radio) => radioShort(radio, nowMs)).join(', '), PACKET_BYTES),
  };
}

async function release(ctx: Context, forMs: number, name: string | undefined): Promise<string> {
  const { radio, untilMs } = await ctx.radios.release(forMs, name);
  return `Radio ${radio} is free for ${longDuration(untilMs - ctx.clock.now())}. Texts for it wait; !radio claim takes it back.`;
}

async function claim(ctx: Context, name: string | undefined): Promise<string> {
  const { radio } = await ctx.radios.claim(name);
  return `The relay takes radio ${radio} back.`;
}

/** What the relay has against it is for the one who asked. */
async function inWords(ctx: Context, answer: Promise<string>): Promise<string> {
  try {
    return await answer;
  } catch (error) {
    throw ctx.fail(`${error instanceof Error ? error.message : String(error)}.`);
  }
}
