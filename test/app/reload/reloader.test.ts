import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { Reloader } from '../../../src/app/reload/reloader.ts';
import { loadConfig } from '../../../src/config/search.ts';
import type { RelayConfig } from '../../../src/config/types.ts';
import type { Logger } from '../../../src/util/logger.ts';
import { ManualClock } from '../../../src/util/manual-clock.ts';
import { put, scratch } from '../../support/old-homes.ts';

const CONFIG = (delivery: string): string => `
matrix_rooms: [{id: "#a:x", meshtastic_channel: 0}]
meshtastic: {connection_type: tcp, host: h, meshnet_name: M}
relay: {delivery_status: ${delivery}}
`;

function watched() {
  const home = scratch();
  const user = scratch();
  const file = join(home, 'config.yaml');
  writeFileSync(file, CONFIG('off'));
  put(join(user, '.mmrelay', 'config.yaml'), CONFIG('notices'));
  const readConfig = () => loadConfig({ cliPath: null, home, env: { HOME: user }, cwd: home });
  const { config } = readConfig();
  if (config === null) throw new Error('the test configuration is wrong');
  const taken: RelayConfig[] = [];
  const said: string[] = [];
  const note = (message: string, fields?: object): void => void said.push(`${message} ${JSON.stringify(fields)}`);
  const logger: Logger = { debug: note, info: note, warn: note, error: note, child: () => logger };
  const clock = new ManualClock();
  const hidden: string[] = [];
  const log = { setLevels: () => undefined, hide: (secrets: readonly string[]) => void hidden.push(...secrets) };
  const renewed: string[] = [];
  const troubles: string[] = [];
  const reconfigure = (next: RelayConfig) => {
    taken.push(next);
    return { renewed, troubles: Promise.resolve(troubles) };
  };
  const reloader = new Reloader({ config, readConfig, daemon: { reconfigure }, log, logger, clock });
  reloader.watch();
  return { file, taken, said, hidden, renewed, troubles, clock, reloader };
}

test('a changed file is taken over within ten seconds, once; a comment changes nothing', async () => {
  const { file, taken, said, clock } = watched();
  await clock.advance(30_000);
  expect(taken).toEqual([]);
  writeFileSync(file, CONFIG('failures'));
  await clock.advance(10_000);
  expect(taken.map(({ relay }) => relay.deliveryStatus)).toEqual(['failures']);
  expect(said).toEqual([expect.stringContaining('"applied":["relay"]')]);
  await clock.advance(60_000);
  expect(taken).toHaveLength(1);
  writeFileSync(file, `# mine\n${CONFIG('failures')}`);
  await clock.advance(10_000);
  expect(said[1]).toContain('"applied":[]');
});

test('a file that is broken or gone changes nothing, and no other file takes its place', async () => {
  const { file, taken, said, clock, reloader } = watched();
  writeFileSync(file, 'relay: [');
  await clock.advance(10_000);
  expect(said[0]).toMatch(/the old one stays in effect .*config\.yaml:1:/);
  rmSync(file);
  await clock.advance(10_000);
  void reloader.reload('SIGHUP');
  expect(said[1]).toContain('config.yaml is gone');
  expect(taken).toEqual([]);
  writeFileSync(file, CONFIG('reactions'));
  await clock.advance(10_000);
  expect(taken.map(({ relay }) => relay.deliveryStatus)).toEqual(['reactions']);
});

test('a file whose place cannot be looked at for a while does not end the relay', async () => {
  const { file, taken, clock } = watched();
  const folder = dirname(file);
  rmSync(file);
  rmSync(folder, { recursive: true });
  symlinkSync(folder, folder);
  await clock.advance(10_000);
  rmSync(folder);
  mkdirSync(folder);
  writeFileSync(file, CONFIG('reactions'));
  await clock.advance(10_000);
  expect(taken.map(({ relay }) => relay.deliveryStatus)).toEqual(['reactions']);
});

test('warnings of the new file are told, and what needs a restart', async () => {
  const { file, said, reloader } = watched();
  writeFileSync(file, `${CONFIG('off').replace('host: h', 'host: other')}unknwon: 1\n`);
  expect(await reloader.reload('SIGHUP')).toMatchObject({
    applied: [],
    restart: [expect.stringContaining('meshtastic: connection')],
    warnings: expect.arrayContaining([expect.stringContaining('unknwon: is not a known key')]),
  });
  expect(said.join('\n')).toContain('Some changes need a restart to take effect');
});

test('secrets that come with a change are hidden before a line is written, also those of a file that is not valid', () => {
  const { file, hidden, said, reloader } = watched();
  const secret = (word: string): string =>
    `matrix: {password: ${word}}\ncustom-plugins: {mine: {api_key: key-${word}}}\n`;
  writeFileSync(file, `${CONFIG('off')}${secret('correct horse')}`);
  void reloader.reload('test');
  writeFileSync(file, `${CONFIG('nonsense')}${secret('battery staple')}`);
  void reloader.reload('test');
  expect(hidden).toEqual(['correct horse', 'key-correct horse', 'battery staple', 'key-battery staple']);
  expect(said.join()).not.toMatch(/horse|staple/);
});

test('plugins whose code is new are named, and what did not start', async () => {
  const { renewed, troubles, reloader } = watched();
  renewed.push('greeter');
  troubles.push('plugin greeter: Unexpected end of input');
  const { applied, warnings } = await reloader.reload('test');
  expect(applied).toEqual(['new code of plugin greeter']);
  expect(warnings).toEqual(['plugin greeter: Unexpected end of input']);
});
