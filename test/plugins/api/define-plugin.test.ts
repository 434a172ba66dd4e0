import { expect, it } from 'vitest';
import { definePlugin } from '../../../src/plugins/api.ts';

it('types follow schema and needs', () => {
  const plugin = definePlugin({
    name: 'a',
    version: '1.0.0',
    api: 1,
    configSchema: {
      units: { type: 'string', choices: ['metric', 'imperial'], default: 'metric', description: 'u' },
      radius: { type: 'number', description: 'r' },
    },
    needs: ['nodes', 'sendMesh'],
    commands: (config) => [
      {
        name: config.units === 'metric' ? 'a' : 'b',
        description: 'x',
        async run(call, ctx) {
          const radius: number | null = ctx.config.radius;
          await ctx.sendMesh({ text: `${call.name}${radius}` });
          // @ts-expect-error not a declared need
          await ctx.sendRoom({ room: 'x', text: 'y' });
          return `${(await ctx.nodes.list()).length}`;
        },
      },
    ],
    onMeshText(message, ctx) {
      ctx.claim();
      return message.text === ctx.config.units;
    },
  });
  expect(plugin.name).toBe('a');
});
