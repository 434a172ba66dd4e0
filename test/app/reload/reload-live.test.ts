import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runDaemon } from '../../../src/app/daemon/run-daemon.ts';
import { resolvePaths } from '../../../src/config/paths.ts';
import { loadConfig } from '../../../src/config/search.ts';
import type { ExitCode } from '../../../src/util/exit-code.ts';
import { Person } from '../../support/person.ts';
import { NEIGHBOUR, type RelayWorld, relayWorld, until } from '../../support/relay-world.ts';

let world: RelayWorld;
beforeEach(async () => {
  world = await relayWorld();
});
afterEach(() => world.close());

interface Run {
  readonly said: (words: string) => Promise<string>;
  readonly stop: () => Promise<ExitCode>;
}

function start(): Run {
  const read = () => loadConfig({ cliPath: world.configFile, home: world.home, env: {}, cwd: world.home });
  const { config, secrets } = read();
  if (config === null) throw new Error('the test configuration is wrong');
  const lines: string[] = [];
  const stop = new AbortController();
  const paths = resolvePaths({ cli: { home: world.home }, env: {}, cwd: world.home, config });
  const write = (line: string): void => void lines.push(line);
  const done = runDaemon({ config, paths, secrets, write, terminal: false, stopSignal: stop.signal, readConfig: read });
  return {
    said: (words) => until(() => lines.find((line) => line.includes(words)) ?? null, words),
    stop: () => {
      stop.abort();
      return done;
    },
  };
}

test('a room is mapped, another taken out, a plugin switched on, all without a restart', async () => {
  const { homeserver, radio } = world;
  const person = new Person({ ...homeserver.registerUser('carol', 'x'), baseUrl: homeserver.baseUrl });
  const [first, second] = [await person.createRoom('First'), await person.createRoom('Second')];
  const rooms = (...ids: string[]): string =>
    world
      .config()
      .replace(/ {2}- id: .*\n.*\n/, ids.map((id) => `  - id: "${id}"\n    meshtastic_channel: 0\n`).join(''));
  writeFileSync(world.configFile, rooms(first));
  const run = start();
  await run.said('both sides are up');
  const alice = radio.node(NEIGHBOUR.num);
  alice.sendText(0, 'one');
  await until(async () => (await person.messages(first)).some(({ body }) => body.includes('one')), 'one in First');

  writeFileSync(world.configFile, `${rooms(second)}plugins:\n  ping:\n    active: true\n`);
  process.emit('SIGHUP');
  expect(await run.said('Configuration reloaded')).toContain('"applied":["matrix_rooms","plugins"]');
  await run.said('The plugin runs');
  alice.sendText(0, 'two');
  await until(async () => (await person.messages(second)).some(({ body }) => body.includes('two')), 'two in Second');
  expect((await person.messages(first)).map(({ body }) => body)).not.toContainEqual(expect.stringContaining('two'));

  await person.say(first, 'to nobody');
  await person.say(second, 'to the mesh');
  const heard = () => radio.mesh.heard.map(({ packet }) => new TextDecoder().decode(packet.payload));
  await until(() => heard().some((text) => text.includes('to the mesh')), 'a text on the air');
  expect(heard().join()).not.toContain('to nobody');
  alice.sendText(0, '!ping');
  await until(() => heard().some((text) => /pong/i.test(text)), 'the answer of the plugin');
  expect(await run.stop()).toBe(0);
}, 40_000);

test('a broken file is named with its line, and the old configuration goes on', async () => {
  const run = start();
  await run.said('both sides are up');
  writeFileSync(world.configFile, world.config().replace('meshtastic_channel: 0', 'meshtastic_channel: nine'));
  process.emit('SIGHUP');
  const complaint = await run.said('the old one stays in effect');
  expect(complaint).toContain(`${join(world.home, 'config.yaml')}:8:5: error: matrix_rooms[0].meshtastic_channel`);
  expect(await run.stop()).toBe(0);
});
