import { expect, it } from 'vitest';
import { definePlugin, type Plugin } from '../../../src/plugins/api.ts';
import { testPlugin } from '../../../src/plugins/testing.ts';

const echo = definePlugin({
  name: 'echo',
  version: '1.0.0',
  api: 1,
  configSchema: { loud: { type: 'boolean', default: false, description: 'Answers in capitals.' } },
  needs: ['store', 'nodes'],
  commands: [
    {
      name: 'echo',
      aliases: ['say'],
      description: 'Says it again.',
      args: {
        times: { type: 'integer', min: 1, max: 3, description: 'How often.' },
        words: { type: 'text', description: 'What.' },
      },
      async run({ args }, ctx) {
        const text = Array.from({ length: Number(args.times) }, () => args.words).join(' ');
        await ctx.store.append('said', text, 2);
        return ctx.config.loud ? text.toUpperCase() : text;
      },
    },
    {
      name: 'where',
      description: 'x',
      args: { node: { type: 'node', description: 'n' } },
      run: ({ args }) => `${args.node}`,
    },
    { name: 'bad', description: 'x', run: (_call, ctx) => Promise.reject(ctx.fail('no luck')) },
  ],
  onMeshText(message, ctx) {
    if (message.text === 'mine') ctx.claim();
  },
});

it('runs commands with arguments, on both sides', async () => {
  const tester = testPlugin(echo, { config: { loud: true }, nodes: [{ num: 7, shortName: 'AL' }] });

  expect(await tester.mesh('!SAY 2 ha')).toEqual({ handled: true, replies: [{ text: 'HA HA' }], reactions: [] });
  expect(await tester.room('!echo times=1 hey you')).toEqual({
    handled: true,
    replies: [{ text: 'HEY YOU' }],
    reactions: ['✅'],
  });
  expect((await tester.room('!where al')).replies).toEqual([{ text: '7' }]);
  expect(tester.store.get('said')).toEqual(['ha ha', 'hey you']);
});

it('tells the sender what is wrong', async () => {
  const tester = testPlugin(echo, { config: { loud: 'yes', lout: true } });

  expect(tester.manifest.warnings).toEqual([
    'loud must be true or false; the default is used',
    'lout is no key of this plugin; did you mean loud?',
  ]);
  expect(await tester.room('!echo 9 ha')).toEqual({
    handled: true,
    replies: [{ text: 'times must be a whole number from 1 to 3. Usage: !echo <times> <words>' }],
    reactions: ['❌'],
  });
  expect((await tester.room('!bad')).replies).toEqual([{ text: 'no luck' }]);
});

it('a text handler claims or leaves', async () => {
  const tester = testPlugin(echo);

  expect((await tester.mesh('mine')).handled).toBe(true);
  expect((await tester.mesh('other')).handled).toBe(false);
});

it('a need that was not declared says so, in every handler', async () => {
  const forgetful = {
    name: 'forgetful',
    version: '1.0.0',
    api: 1,
    needs: ['nodes'],
    commands: [{ name: 'use', description: 'x', run: (_call, ctx) => ctx.store.get('x') as Promise<string> }],
    start: async (ctx) => void (await ctx.http.get('https://ex.org')),
  } satisfies Plugin;
  const tester = testPlugin(forgetful as unknown as Plugin);
  await expect(tester.start()).rejects.toThrow("ctx.http has to be declared: needs: ['http']");
  await expect(tester.room('!use')).rejects.toThrow("ctx.store has to be declared: needs: ['store']");
});
