import { expect, it } from 'vitest';
import help from '../../../plugins/help/index.ts';
import type { CommandInfo } from '../../../src/plugins/api.ts';
import { testPlugin } from '../../../src/plugins/testing.ts';

const command = (name: string, more: Partial<CommandInfo> = {}): CommandInfo => ({
  name,
  aliases: [],
  plugin: name,
  description: `About ${name}`,
  help: null,
  usage: `!${name}`,
  on: ['room', 'mesh'],
  admin: false,
  ...more,
});
const commands = [
  command('ping'),
  command('batteryLevel', { help: 'Usage: !batteryLevel [node]' }),
  command('map', { on: ['room'] }),
  command('drop', { on: ['mesh'] }),
  command('radio', { admin: true }),
  command('weather', { aliases: ['wetter'] }),
];
const ask = async (text: string, change: object = {}) =>
  (await testPlugin(help, { commands }).room(text, change)).replies[0];

it('lists the commands of this side, sorted as ever', async () => {
  expect(await ask('!help')).toMatchObject({
    text: 'Available commands: batteryLevel, map, ping, weather, wetter',
    markdown: true,
  });
  expect((await ask('!help', { admin: true }))?.text).toContain('radio');
});

it('explains one, whatever its case, with or without the mark', async () => {
  expect((await ask('!help ping'))?.text).toBe('`!ping`: About ping');
  expect((await ask('!help !PING'))?.text).toBe('`!ping`: About ping');
  expect((await ask('!help batterylevel'))?.text).toBe(
    '`!batteryLevel`: About batteryLevel\n\nUsage: !batteryLevel [node]',
  );
});

it('says when there is none', async () => {
  const { replies, reactions } = await testPlugin(help, { commands }).room('!help nothing');
  expect([replies[0]?.text, reactions]).toEqual(['No such command: nothing', ['❌']]);
});

it('is one packet on the mesh, with pages', async () => {
  const many = Array.from({ length: 80 }, (_, index) => command(`command${index}`));
  const tester = testPlugin(help, { commands: many });
  const first = (await tester.mesh('!help')).replies[0]?.short ?? '';
  const second = (await tester.mesh('!help 2')).replies[0]?.short ?? '';
  expect(first).toMatch(/^Commands:\n!command0 .*\nMore: !help 2$/s);
  expect([first, second].every((text) => Buffer.byteLength(text) <= 200)).toBe(true);
  expect(second).not.toBe(first);
});
