import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runDaemon } from '../../src/app/daemon/run-daemon.ts';
import { resolvePaths } from '../../src/config/paths.ts';
import { loadConfig } from '../../src/config/search.ts';
import { Person } from '../support/person.ts';
import { type RelayWorld, relayWorld, until } from '../support/relay-world.ts';
import { cliBox } from './run-cli.ts';

let world: RelayWorld;
beforeEach(async () => {
  world = await relayWorld();
});
afterEach(() => world.close());

/** The relay in this process; resolves when its radio is, or is not, connected. */
async function startRelay(options: { readonly withRadio: boolean }) {
  const readConfig = () => loadConfig({ cliPath: world.configFile, home: world.home, env: {}, cwd: world.home });
  const { config, secrets } = readConfig();
  if (config === null) throw new Error('the test configuration is wrong');
  const lines: string[] = [];
  const stop = new AbortController();
  const done = runDaemon({
    config,
    paths: resolvePaths({ cli: { home: world.home }, env: {}, cwd: world.home, config }),
    secrets,
    write: (line) => void lines.push(line),
    terminal: false,
    stopSignal: stop.signal,
    readConfig,
  });
  const said = (words: string) => until(() => lines.some((line) => line.includes(words)), words);
  await said(options.withRadio ? 'both sides are up' : 'The radio stays released');
  await said('Matrix is syncing');
  return {
    end: async () => {
      stop.abort();
      expect(await done).toBe(0);
    },
  };
}

const commands = () => {
  const { run } = cliBox();
  return (...argv: readonly string[]) => run(...argv, '--home', world.home);
};

test('without a relay the commands say so and end with 1', async () => {
  const run = commands();
  for (const argv of [['status'], ['radio', 'release'], ['radio', 'claim'], ['reload']])
    expect(await run(...argv)).toMatchObject({ code: 1, out: '', err: `No relay runs on ${world.home}\n` });
  expect((await run('radio', 'release', '--for', 'soon')).code).toBe(2);
});

test('status tells both links and what waits; reload says what it took over', async () => {
  const relay = await startRelay({ withRadio: true });
  const run = commands();
  const { code, out } = await run('status');
  expect(code).toBe(0);
  expect(out.split('\n')[0]).toMatch(/^mmrelay \S+, process \d+, up for \d+ s: ready$/);
  expect(out).toMatch(/^Matrix: syncing for \d+ s, @relay:test.local$/m);
  expect(out).toMatch(/^Radio default: ready for \d+ s, .*firmware [\d.]+.*, US SHORT_FAST$/m);
  const json = JSON.parse((await run('status', '--json')).out);
  expect(Object.keys(json.links)).toEqual(['matrix', 'radio:default']);
  expect(json.links['radio:default'].at(-1)).toMatchObject({ state: 'up', reason: null });
  expect(await run('reload')).toMatchObject({ code: 0, out: '✅ Nothing to take over.\n' });
  writeFileSync(world.configFile, world.config('logging: { level: debug }\ndatabase: { busy_timeout_ms: 9 }\n'));
  const changed = '✅ In effect now: logging.level\n⚠️  Needs a restart: database\n';
  expect(await run('reload')).toMatchObject({ code: 0, out: changed });
  writeFileSync(world.configFile, 'matrix: [');
  expect(await run('reload')).toMatchObject({ code: 3, out: '', err: expect.stringContaining('config.yaml:') });
  await relay.end();
});

test('a released radio is free, texts for it wait, also over a restart; claimed, they leave', async () => {
  const run = commands();
  const first = await startRelay({ withRadio: true });
  const { radio, homeserver } = world;
  expect((await run('radio', 'release', '--for', '1h')).out).toMatch(
    /^✅ Radio default is free until .* \(60 min\)\. Texts for it wait\.\n/,
  );
  await until(() => !radio.connected, 'the radio is free');
  const carol = new Person({ ...homeserver.registerUser('carol', 'x'), baseUrl: homeserver.baseUrl });
  const room = await carol.join('#mesh:test.local');
  await carol.say(room, 'while it was away');
  await until(async () => (await run('status')).out.includes('Waiting for radio default: 1 waiting'), 'the text waits');
  expect((await run('status')).out).toMatch(/⚠️ {2}radio:default: released until \d{4}-/);
  expect((await run('doctor', '--offline')).out).toMatch(/ℹ️ {2}default: released until .*\(\d+ min\)/);
  await first.end();

  const { connections } = radio.counters;
  const second = await startRelay({ withRadio: false });
  expect((await run('status')).out).toMatch(/^Radio default: released until .* \(60 min\)$/m);
  expect(radio.counters.connections, 'the restart did not touch it').toBe(connections);
  expect((await run('radio', 'claim')).out).toBe('✅ The relay takes radio default back.\n');
  const heard = () => radio.mesh.heard.map(({ packet }) => new TextDecoder().decode(packet.payload));
  await until(() => heard().some((text) => text.includes('while it was away')), 'the text is on the air');
  expect(await run('radio', 'claim')).toMatchObject({ code: 1, err: 'Radio default is not released\n' });
  await second.end();
});
