import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { configOf, parseRadio, parseRoom } from '../../src/app/setup/answers.ts';
import { parseConfig } from '../../src/config/load.ts';
import { sampleConfig } from '../../src/config/sample.ts';
import { createHomeserver } from '../../src/sandbox/homeserver/homeserver.ts';
import { cliBox } from './run-cli.ts';

describe('answers', () => {
  test.each([
    ['auto', { kind: 'auto' }],
    ['192.168.1.20', { kind: 'tcp', host: '192.168.1.20', port: 4403 }],
    ['tcp:meshtastic.local:4404', { kind: 'tcp', host: 'meshtastic.local', port: 4404 }],
    ['/dev/ttyUSB0', { kind: 'serial', target: '/dev/ttyUSB0' }],
    ['serial:COM3', { kind: 'serial', target: 'COM3' }],
    ['ble:AA:BB:CC:DD:EE:FF', { kind: 'ble', target: 'AA:BB:CC:DD:EE:FF' }],
    ['', null],
    ['two words', null],
  ])('radio %j', (text, wanted) => expect(parseRadio(text)).toEqual(wanted));

  test.each([
    ['#mesh:x', { id: '#mesh:x', channel: 0 }],
    ['!abc:x=3', { id: '!abc:x', channel: 3 }],
    ['#mesh:x=9', null],
    ['mesh', null],
  ])('room %j', (text, wanted) => expect(parseRoom(text)).toEqual(wanted));

  test.each([
    'auto',
    'h.local:1234',
    '/dev/ttyACM0',
    'ble:AA:BB:CC:DD:EE:FF',
  ])('%s becomes a valid configuration', (text) => {
    const radio = parseRadio(text);
    if (radio === null) throw new Error(text);
    const written = configOf({
      radio,
      meshnet: 'My: "mesh"',
      rooms: [
        { id: '#a:x', channel: 0 },
        { id: '!b:x', channel: 2 },
      ],
    });
    const { config, problems } = parseConfig({ text: written, file: null, env: {} });
    expect(problems).toEqual([]);
    expect(config?.rooms.map(({ id, channel }) => [id, channel])).toEqual([
      ['#a:x', 0],
      ['!b:x', 2],
    ]);
    expect(config?.radios[0]?.meshnetName).toBe('My: "mesh"');
    // Each key below the words that explain it, as in the sample.
    expect(written).toContain('# Channel index on the radio, 0 to 7.\n    meshtastic_channel: 0\n');
    expect(written.split('\n')).toHaveLength(sampleConfig().split('\n').length + 2);
    expect(config?.radios[0]?.connection.kind).toBe(radio.kind);
  });
});

test('without questions: login, a new room with a guest, a configuration that passes its check', async () => {
  const server = await createHomeserver({ serverName: 'test.local' });
  onTestFinished(() => server.close());
  server.registerUser('relay', 'pw');
  server.registerUser('me', 'pw');
  const { run, root, home } = cliBox();
  writeFileSync(join(root, 'password'), 'pw\n');
  const account = ['--homeserver', server.baseUrl, '--username', 'relay', '--password-file', '<root>/password'];
  const result = await run(
    'setup',
    '--yes',
    '--radio',
    '127.0.0.1',
    ...account,
    '--new-room',
    'Mesh',
    '--invite',
    '@me:test.local',
  );
  expect(result.code, result.out + result.err).toBe(0);
  expect(result.out).toContain('✅ Configuration file is valid!');
  expect(result.out + result.err).not.toContain('pw\n');
  const file = join(home, 'config.yaml');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readFileSync(file, 'utf8')).toMatch(/ {2}- id: "?!.+\n {4}# Channel index.*\n {4}meshtastic_channel: 0/);
  expect(existsSync(join(home, 'credentials.json'))).toBe(true);
  expect((await run('config', 'check', '--strict')).code).toBe(0);
  const online = await run('config', 'check', '--online');
  expect(online.code).toBe(0);
  expect(online.out).toMatch(/✅ the homeserver accepts the token/);
  expect(online.out).toMatch(/✅ !.+: joined, not encrypted/);
  expect(online.out).toMatch(/⚠️ {2}default: 127.0.0.1:4403/);
  writeFileSync(
    join(home, 'credentials.json'),
    JSON.stringify({
      homeserver: server.baseUrl,
      access_token: 'revoked',
      device_id: 'D',
      user_id: '@relay:test.local',
    }),
  );
  expect((await run('config', 'check', '--online')).code).toBe(4);
  expect((await run('auth', 'status', '--check')).code).toBe(4);
  const again = await run('setup', '--yes', '--radio', 'h', '--room', '#a:x');
  expect(again).toMatchObject({ code: 1, err: expect.stringContaining('already exists') });
});

test('a mesh that nobody has named is named by its radio', () => {
  const radio = { kind: 'tcp', host: 'h', port: 4403 } as const;
  const written = configOf({ radio, meshnet: null, rooms: [{ id: '#a:x', channel: 0 }] });
  const { config, problems } = parseConfig({ text: written, file: null, env: {} });
  expect(problems).toEqual([]);
  expect(config?.radios[0]?.meshnetName).toBe('');
});

test('what is missing is named, exit 2, nothing written', async () => {
  const { run, home, root } = cliBox();
  const nothing = await run('setup', '--yes');
  for (const flag of ['--radio', '--room', '--homeserver', '--username', '--password-stdin'])
    expect(nothing.err).toContain(flag);
  expect(await run('setup', '--yes')).toMatchObject({ code: 2, err: expect.stringContaining('--radio') });
  const account = ['--homeserver', 'http://127.0.0.1:1', '--username', 'x', '--access-token-file', '<root>/token'];
  writeFileSync(join(root, 'token'), 'a token');
  expect(await run('setup', '--yes', '--radio', 'h', ...account, '--room', 'mesh')).toMatchObject({
    code: 2,
    err: expect.stringMatching(/^Missing or not understood: --room/),
  });
  expect(existsSync(home)).toBe(false);
});
