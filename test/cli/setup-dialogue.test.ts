import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import type { Dialogue } from '../../src/cli/dialogue.ts';
import { type SetupFlags, setup } from '../../src/cli/setup.ts';
import { parseConfig } from '../../src/config/load.ts';
import { createHomeserver, type Homeserver } from '../../src/sandbox/homeserver/homeserver.ts';
import { createVirtualRadio } from '../../src/sandbox/radio/virtual-radio.ts';
import { freePort } from '../support/free-port.ts';
import { Person } from '../support/person.ts';
import { cliBox } from './run-cli.ts';

let server: Homeserver;
let home: string;
let account: SetupFlags;

beforeEach(async () => {
  server = await createHomeserver({ serverName: 'test.local' });
  server.registerUser('relay', 'pw');
  const box = cliBox();
  home = box.home;
  writeFileSync(join(box.root, 'password'), 'pw\n');
  account = { homeserver: server.baseUrl, username: 'relay', passwordFile: join(box.root, 'password') };
  onTestFinished(() => server.close());
});

/** Answers by what is asked; a question without an answer is an error. */
function scripted(answers: readonly (readonly [RegExp, string])[]): {
  readonly dialogue: Dialogue;
  readonly asked: string[];
} {
  const left = [...answers];
  const asked: string[] = [];
  const ask = (question: string): Promise<string> => {
    asked.push(question);
    const at = left.findIndex(([pattern]) => pattern.test(question));
    const [found] = at < 0 ? [] : left.splice(at, 1);
    if (found === undefined) throw new Error(`nobody answers ${question}`);
    return Promise.resolve(found[1]);
  };
  return { dialogue: { talks: true, ask }, asked };
}

async function run(flags: SetupFlags, dialogue: Dialogue): Promise<{ readonly code: number; readonly out: string }> {
  const lines: string[] = [];
  const note = (...words: readonly unknown[]): void => void lines.push(words.join(' '));
  const spies = [
    vi.spyOn(console, 'log').mockImplementation(note),
    vi.spyOn(console, 'error').mockImplementation(note),
  ];
  try {
    const code = await setup(flags, dialogue);
    return { code, out: lines.join('\n') };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

const written = () => {
  const { config, problems } = parseConfig({
    text: readFileSync(join(home, 'config.yaml'), 'utf8'),
    file: null,
    env: {},
  });
  expect(problems).toEqual([]);
  return config;
};

test('the radio says its channels: each gets a room that is made, picked or none', async () => {
  const radio = await createVirtualRadio({
    longName: 'Roof',
    region: 'EU_868',
    channels: [
      { name: '', role: 'primary', psk: Uint8Array.of(1) },
      { name: 'Club', role: 'secondary', psk: new Uint8Array(16) },
      { name: 'Admin', role: 'secondary', psk: new Uint8Array(16) },
    ],
  });
  onTestFinished(() => radio.close());
  const owner = new Person({ ...server.registerUser('owner', 'pw'), baseUrl: server.baseUrl });
  const club = await owner.createRoom('Club of the hill');
  const { dialogue, asked } = scripted([
    [/Name of your mesh/, 'Alpine'],
    [/Channel 0 \(\w+\)/, 'nonsense'],
    [/Channel 0 \(\w+\)/, ''],
    [/Channel 1 \(Club\)/, club],
    [/Channel 2 \(Admin\) .*\[-\]/, ''],
    [/Name of the new room/, 'Mountain'],
    [/invited/, 'owner'],
    [/invited/, '@owner:test.local'],
    [/encrypted/, 'y'],
    [/systemd/, 'n'],
  ]);
  const { code, out } = await run({ ...account, radio: `127.0.0.1:${radio.port}` }, dialogue);
  expect(code, out).toBe(0);
  expect(out).toContain('✅ Roof (');
  expect(out).toMatch(/ {3}0 {2}\w+ {2}\(primary; everybody in reach can read it\)\n {3}1 {2}Club {2}\(secondary; /);
  expect(out).toContain('✅ Configuration file is valid!');
  expect(out).toMatch(/✅ !.+: joined, encrypted/);
  expect(asked.filter((question) => question.startsWith('Channel 0'))).toHaveLength(2);
  const config = written();
  expect(config?.radios[0]?.meshnetName).toBe('Alpine');
  expect(config?.rooms.map(({ channel }) => channel)).toEqual([0, 1]);
  expect(config?.rooms[1]?.id).toBe(club);
  expect(server.requests().filter((request) => request.endsWith('/createRoom'))).toHaveLength(2);
});

test('a second time: the session is kept, its rooms are offered by number, the old file is kept', async () => {
  const port = await freePort();
  const answers = (room: string) =>
    scripted([
      [/Name of your mesh/, ''],
      [/Channel 0 \(Mesh\)/, room],
      [/Name of the new room/, ''],
      [/invited/, '-'],
      [/encrypted/, ''],
      [/systemd/, 'n'],
    ]).dialogue;
  const first = await run({ ...account, radio: `127.0.0.1:${port}` }, answers('new'));
  expect(first.out).toContain('It does not answer');
  expect(first.code, first.out).toBe(0);
  const id = written()?.rooms[0]?.id;
  const second = await run({ radio: `127.0.0.1:${port}`, force: true }, answers('1'));
  expect(second.code, second.out).toBe(0);
  expect(second.out).toContain('✅ Logged in as @relay:test.local');
  expect(second.out).toContain(`   1. Mesh  ${id}`);
  expect(written()?.rooms[0]?.id).toBe(id);
  expect(existsSync(join(home, 'config.yaml.bak'))).toBe(true);
});

test('nothing is written when the answers make no sense', async () => {
  const { dialogue } = scripted([
    [/Name of your mesh/, ''],
    [/Channel 0/, '?'],
    [/Channel 0/, '?'],
    [/Channel 0/, '?'],
  ]);
  const { code, out } = await run({ ...account, radio: `127.0.0.1:${await freePort()}` }, dialogue);
  expect([code, existsSync(join(home, 'config.yaml'))]).toEqual([2, false]);
  expect(out).toContain('Missing or not understood: --room');
});

test('every answer as a flag: rooms for several channels, encrypted, with the systemd unit', async () => {
  const deaf: Dialogue = { talks: false, ask: () => Promise.reject(new Error('nobody is there')) };
  const newRoom = ['Mesh', 'Club=2'];
  const flags = { ...account, radio: 'auto', meshnet: 'Alpine', newRoom, invite: [], encrypted: true, service: true };
  const { code, out } = await run(flags, deaf);
  expect(code, out).toBe(0);
  expect(written()?.rooms.map(({ channel }) => channel)).toEqual([0, 2]);
  expect(out).toContain('✅ Service file written');
});
