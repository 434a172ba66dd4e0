import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Env } from '../../src/config/env.ts';
import { loadConfigFile } from '../../src/config/load.ts';
import { renderProblems } from '../../src/config/problems.ts';
import type { RelayConfig } from '../../src/config/types.ts';

/**
 * Files as people have them, of the Python relay and of hasty evenings. Each one runs as it did there, or is refused with
 * place and remedy: what is said stands in the .txt beside it. Update with `vitest -u`, and read what changed.
 */
const ZOO = join(import.meta.dirname, 'zoo');
const files = readdirSync(ZOO).filter((name) => name.endsWith('.yaml'));

const ENV: Readonly<Record<string, Env>> = {
  '31-from-the-environment.yaml': {
    MMRELAY_MESHTASTIC_CONNECTION_TYPE: 'Serial',
    MMRELAY_MESHTASTIC_SERIAL_PORT: '/dev/ttyUSB1',
    MMRELAY_MESHTASTIC_MESHNET_NAME: 'Env',
    MMRELAY_MESHTASTIC_PORT: '70000',
    MMRELAY_LOGGING_LEVEL: 'CRITICAL',
    MMRELAY_MESHTASTIC_MESSAGE_DELAY: '3',
  },
};

function load(name: string): ReturnType<typeof loadConfigFile> {
  return loadConfigFile(join(ZOO, name), ENV[name] ?? {});
}

test.each(files)('%s', async (name) => {
  const { config, problems } = load(name);
  const lines = renderProblems(problems).map((line) => line.replace(join(ZOO, name), name));
  const said = [...lines, config === null ? 'refused' : 'runs', ''].join('\n');
  await expect(said).toMatchFileSnapshot(join(ZOO, `${basename(name, '.yaml')}.txt`));
  expect(config === null).toBe(problems.some(({ severity }) => severity === 'error'));
  for (const problem of problems.filter(({ severity }) => severity === 'error'))
    expect(problem.remedy ?? problem.expected ?? problem.nearest, problem.message).not.toBeNull();
});

/** What the old relay made of the files that it ran. */
describe('what runs does so with the values that it had', () => {
  const first = ({ radios: [radio] }: RelayConfig) => radio;
  const core = ({ plugins }: RelayConfig) => plugins.core.filter(({ active }) => active).map(({ name }) => name);
  const facts: readonly (readonly [string, (config: RelayConfig) => unknown, unknown])[] = [
    [
      '02',
      ({ rooms }) => rooms.map(({ id, channel }) => `${id} ${channel}`).at(-1),
      '!QtykxKocfZaZOUrTwp:matrix.org 2',
    ],
    ['02', (config) => first(config)?.disabledPortnums, ['ADMIN_APP']],
    ['02', ({ logging }) => logging.levels, { matrix: 'warn', radio: 'debug' }],
    ['02', ({ database }) => [database.messagesToKeep, database.wipeOnRestart], [1000, true]],
    ['03', (config) => first(config)?.connection, { kind: 'serial', path: '/dev/ttyACM0' }],
    ['03', (config) => [first(config)?.reactions, first(config)?.replies], [true, false]],
    ['03', (config) => first(config)?.messageDelayMs, 3000],
    ['03', ({ database }) => [database.path, database.messagesToKeep], ['/home/pi/mmrelay/meshtastic.sqlite', 750]],
    ['04', (config) => first(config)?.connection, { kind: 'tcp', host: 'meshtastic.lan', port: 4403 }],
    ['04', ({ matrix }) => [matrix.botUserId, matrix.e2ee.enabled], ['meshbot', 'on']],
    ['05', (config) => first(config)?.connection, { kind: 'ble', address: '11:22:33:44:55:56' }],
    ['07', ({ matrix }) => matrix.prefixFormat, ''],
    ['07', (config) => [first(config)?.broadcastEnabled, first(config)?.detectionSensor], [true, false]],
    ['07', (config) => [first(config)?.reactions, first(config)?.replies], [true, false]],
    ['07', core, ['nodes', 'ping']],
    ['09', (config) => first(config)?.connection, { kind: 'serial', path: 'COM3' }],
    ['12', (config) => first(config)?.meshnetName, '🏔️ Zürich Mäsh 🇨🇭'],
    ['14', ({ plugins }) => plugins.community.map(({ source }) => source?.ref.name), ['main', 'main', '0123456']],
    ['15', (config) => first(config)?.connection, { kind: 'tcp', host: 'radio.lan', port: 4404 }],
    ['15', ({ plugins }) => plugins.core.find(({ name }) => name === 'ping')?.channels, [0]],
    ['16', ({ matrix }) => matrix.password, '0123456'],
    ['16', ({ plugins }) => plugins.core[0]?.schedule?.at, '16:30'],
    ['18', ({ rooms }) => rooms.map(({ channel }) => channel), [0, 1]],
    ['26', (config) => [first(config)?.prefixFormat, config.rooms[1]?.channel], ['{display}: ', 0]],
    ['31', (config) => first(config)?.connection, { kind: 'serial', path: '/dev/ttyUSB1' }],
    ['31', (config) => [first(config)?.meshnetName, config.logging.level], ['Env', 'error']],
    ['34', core, ['weather']],
    ['40', (config) => [first(config)?.meshnetName, config.matrix.e2ee.enabled], ['no', 'on']],
  ];
  test.each(facts)('%s: %o', (number, look, wanted) => {
    const name = files.find((file) => file.startsWith(number)) ?? '';
    const { config } = load(name);
    if (config === null) throw new Error(`${name} is refused`);
    expect(look(config)).toEqual(wanted);
  });
});
