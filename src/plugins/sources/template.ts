/** The files of a new plugin: a working example with its test. */
export function templateFiles(name: string): ReadonlyMap<string, string> {
  const command = name.toLowerCase().replace(/[^a-z0-9]/g, '') || 'hello';
  return new Map([
    ['index.ts', pluginSource(name, command)],
    ['index.test.ts', testSource(name, command)],
    [
      'package.json',
      `${JSON.stringify({ name, version: '0.1.0', private: true, type: 'module', main: 'index.ts' }, null, 2)}\n`,
    ],
  ]);
}

function pluginSource(name: string, command: string): string {
  return `import type { Plugin } from 'mmrelay/plugin';

const plugin: Plugin = {
  name: '${name}',
  version: '0.1.0',
  api: 1,
  description: 'Greets people and counts how often.',
  // Keys of custom-plugins.${name} in config.yaml; they arrive checked in ctx.config.
  configSchema: {
    greeting: { type: 'string', default: 'Hello', description: 'How people are greeted.' },
  },
  // What the plugin may use. ctx has these and nothing else.
  needs: ['store'],
  commands: [
    {
      name: '${command}',
      description: 'Greets you.',
      args: { who: { type: 'text', optional: true, description: 'Whom to greet instead.' } },
      async run({ from, args }, ctx) {
        const count = await ctx.store.update('count', (value) => Number(value ?? 0) + 1);
        const sender = from.kind === 'mesh' ? from.message.author.longName : from.message.senderName;
        return \`\${ctx.config.greeting} \${args.who ?? sender}, greeting number \${count}!\`;
      },
    },
  ],
};

export default plugin;
`;
}

function testSource(name: string, command: string): string {
  return `import type { PluginTests } from 'mmrelay/plugin-testing';

// Run with: mmrelay plugins test ${name}
const tests: PluginTests = {
  'greets somebody on the mesh by name': async ({ open, equal }) => {
    const tester = open({ nodes: [{ num: 0x0a11ce01, longName: 'Alice' }] });
    const { handled, replies } = await tester.mesh('!${command}');
    equal(handled, true);
    equal(replies, [{ text: 'Hello Alice, greeting number 1!' }]);
  },
  'greets whom it is told to, in the configured words': async ({ open, equal }) => {
    const tester = open({ config: { greeting: 'Hi' } });
    const { replies, reactions } = await tester.room('!${command} all of you');
    equal(replies, [{ text: 'Hi all of you, greeting number 1!' }]);
    equal(reactions, ['✅']);
  },
  'counts on': async ({ open, equal }) => {
    const tester = open({ store: { count: 41 } });
    await tester.mesh('!${command}');
    equal(tester.store.get('count'), 42);
  },
};

export default tests;
`;
}
