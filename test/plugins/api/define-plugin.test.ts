import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
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

it('is there for a plugin with nothing installed beside it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mmrelay-define-'));
  writeFileSync(
    join(folder, 'index.mjs'),
    `import { API_VERSION, definePlugin } from 'mmrelay/plugin';
     const commands = [{ name: 'hi', description: 'x', run: () => 'hi' }];
     export default definePlugin({ name: 'a', version: '1', api: API_VERSION, commands });`,
  );
  const test = "async ({ open, equal }) => equal((await open().mesh('!hi')).replies, [{ text: 'hi' }])";
  writeFileSync(join(folder, 'index.test.mjs'), `export default { 'says hi': ${test} };`);
  const main = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));
  const { stdout } = spawnSync(process.execPath, [main, 'plugins', 'test', folder], { encoding: 'utf8' });
  expect(stdout).toContain('1 of 1 tests passed');
});
