import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { findGuestPlugin, installGuestPlugin } from '../../../src/app/demo/guest-plugin.ts';
import { runDemo } from '../../../src/app/demo/run-demo.ts';
import { customEntry } from '../../../src/plugins/sources/entry.ts';

it('shows an encrypted room: the second client reads what the homeserver cannot', { timeout: 60_000 }, async () => {
  const lines: string[] = [];
  const stop = new AbortController();
  const seen = (pattern: RegExp): boolean => lines.some((line) => pattern.test(line));
  const result = await runDemo({
    forMs: 50_000,
    chatter: true,
    signal: stop.signal,
    input: null,
    plugin: null,
    print: (line) => {
      lines.push(line);
      if (seen(/room +«/) && seen(/mesh +«/)) stop.abort();
    },
  });
  expect(result).toMatchObject({ error: null, stored: { plain: 0 } });
  expect(result.stored.encrypted).toBeGreaterThanOrEqual(2);
  const at = (pattern: RegExp): number => lines.findIndex((line) => pattern.test(line));
  expect(lines[at(/mesh +» Alice/)]).toContain('Reached the ridge, all well');
  expect(lines[at(/room +« @relay/)]).toContain('[Alice Hiker/Demo]: Reached the ridge, all well');
  const server = lines.filter((line) => line.includes('server ·'));
  expect(server.map((line) => line.trim().split(/ +/)[2])).toEqual(expect.arrayContaining(['@relay', '@you']));
  for (const line of server) expect(line).toMatch(/ [A-Za-z0-9+/]{40}…$/);
});

it("runs somebody's plugin: its command is answered on both sides", { timeout: 60_000 }, async () => {
  const root = mkdtempSync(join(tmpdir(), 'mmrelay-guest-'));
  const folder = join(root, 'echo');
  mkdirSync(folder);
  const command = "{ name: 'echo', description: 'x', run: ({ argText }) => 'echo ' + argText }";
  writeFileSync(
    join(folder, 'index.mjs'),
    `import { definePlugin } from 'mmrelay/plugin';
     export default definePlugin({ name: 'echo', version: '1', api: 1, commands: [${command}] });`,
  );
  const lines: string[] = [];
  const stop = new AbortController();
  async function* typed(): AsyncGenerator<string> {
    yield '!echo one';
    yield '/mesh !echo two';
  }
  const result = await runDemo({
    forMs: 50_000,
    chatter: false,
    signal: stop.signal,
    input: typed(),
    plugin: await findGuestPlugin({ customPlugins: { path: root } as never }, 'echo'),
    print: (line) => {
      lines.push(line);
      const wanted = [/room +« @relay +echo one/, /room +« @relay +✅/, /mesh +« relay +echo two/];
      if (wanted.every((pattern) => lines.some((one) => pattern.test(one)))) stop.abort();
    },
  });
  expect(result.error).toBeNull();
  expect(lines.join('\n')).toMatch(/room +« @relay +echo one/);
  expect(lines.join('\n')).toMatch(/room +« @relay +✅/);
  expect(lines.join('\n')).toMatch(/mesh +« relay +echo two/);
});

it('names what is wrong with a plugin before anything starts', async () => {
  const root = mkdtempSync(join(tmpdir(), 'mmrelay-guest-'));
  const customPlugins = { path: root } as never;
  await expect(findGuestPlugin({ customPlugins }, 'nothing')).rejects.toThrow(/There is no .*nothing/);
  mkdirSync(join(root, 'empty'));
  await expect(findGuestPlugin({ customPlugins }, 'empty')).rejects.toThrow(/has no index.ts/);
  await expect(findGuestPlugin({ customPlugins }, join(root, 'nothing.ts'))).rejects.toThrow(
    /There is no .*nothing.ts/,
  );
});

it('takes a single file, and calls it as it calls itself', async () => {
  const root = mkdtempSync(join(tmpdir(), 'mmrelay-guest-'));
  const file = join(root, 'draft.mjs');
  writeFileSync(file, "export default { name: 'lamp', version: '1', api: 1 };");
  const guest = await findGuestPlugin({ customPlugins: { path: root } as never }, file);
  installGuestPlugin(guest, root);
  expect(guest.name).toBe('lamp');
  expect(customEntry(join(root, 'plugins', 'custom'), 'lamp')).toMatch(/custom\/lamp\/index\.mjs$/);
});
