import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type RelayWorld, relayWorld } from '../support/relay-world.ts';
import { type CliBox, cliBox } from './run-cli.ts';

let world: RelayWorld;
let box: CliBox;
beforeEach(async () => {
  world = await relayWorld();
  box = cliBox();
  mkdirSync(box.home, { recursive: true });
});
afterEach(() => world.close());

async function check(config: string, ...flags: readonly string[]) {
  writeFileSync(join(box.home, 'config.yaml'), config);
  const { code, out } = await box.run('config', 'check', '--online', ...flags);
  const lines = out.split('\n').map((line) => line.trim());
  return { code, lines: lines.slice(lines.findIndex((line) => line.includes('Configuration file is valid')) + 1), out };
}

const post = (token: string, path: string, body: object): Promise<Response> =>
  fetch(`${world.homeserver.baseUrl}/_matrix/client/v3${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify(body),
  });

async function tokenOf(user: string, password: string): Promise<string> {
  const body = { type: 'm.login.password', identifier: { type: 'm.id.user', user }, password };
  return ((await (await post('', '/login', body)).json()) as { readonly access_token: string }).access_token;
}

test('it logs in and leaves no device behind, resolves the alias, and hears from the radio who it is', async () => {
  const { code, lines } = await check(world.config());
  expect(lines.slice(0, 3)).toEqual([
    '✅ the homeserver takes the password of @relay:test.local',
    expect.stringMatching(/^✅ #mesh:test\.local \(!\S+\): public; the relay joins when it starts$/),
    expect.stringMatching(/^✅ default: 127\.0\.0\.1:\d+ is R \(\w+, firmware [\d.]+\w*, US\)$/),
  ]);
  expect(code).toBe(0);
  const token = await tokenOf('relay', 'relay-password');
  const answer = await fetch(`${world.homeserver.baseUrl}/_matrix/client/v3/devices`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const { devices } = (await answer.json()) as { readonly devices: readonly unknown[] };
  // The one of the registration, and the one that asks.
  expect(devices).toHaveLength(2);
});

test('a wrong password is 4; channels that the radio does not have are named', async () => {
  const text = world
    .config()
    .replace('relay-password', 'wrong')
    .replace('meshtastic_channel: 0', 'meshtastic_channel: 5');
  const { code, lines } = await check(text);
  expect(lines[0]).toMatch(/^❌ Could not log in/);
  expect(lines.join('\n')).toContain('⚠️  default: channel 5 of #mesh:test.local is not in use');
  expect(code).toBe(4);
});

test('rooms: invited, closed, banned, joined and encrypted, without the power to write', async () => {
  const owner = world.homeserver.registerUser('host', 'x').accessToken;
  const room = async (body: object): Promise<string> =>
    ((await (await post(owner, '/createRoom', body)).json()) as { readonly room_id: string }).room_id;
  const invite = ['@relay:test.local'];
  const encryption = [{ type: 'm.room.encryption', state_key: '', content: { algorithm: 'm.megolm.v1.aes-sha2' } }];
  const [invited, closed, banned, joined, silent] = await Promise.all([
    room({ preset: 'private_chat', invite }),
    room({ preset: 'private_chat' }),
    room({ preset: 'public_chat' }),
    room({ preset: 'public_chat', initial_state: encryption }),
    room({
      preset: 'public_chat',
      initial_state: encryption,
      power_level_content_override: { events: { 'm.room.encrypted': 50 } },
    }),
  ]);
  await post(owner, `/rooms/${banned}/ban`, { user_id: '@relay:test.local' });
  const relay = await tokenOf('relay', 'relay-password');
  for (const id of [joined, silent]) await post(relay, `/join/${id}`, {});
  const rooms = [invited, closed, banned, joined, silent, '#gone:test.local'];
  const list = rooms.map((id) => `\n  - {id: "${id}", meshtastic_channel: 0}`).join('');
  const { lines, code } = await check(world.config().replace(/\n {2}- id: .*\n.*/, list));
  const said = (id: string | undefined) => lines.find((line) => line.includes(`${id}`))?.replace(`${id}`, 'room');
  expect(rooms.map(said)).toEqual([
    '✅ room: invited; the relay joins when it starts',
    '⚠️  room: not joined',
    '⚠️  room: this account is banned',
    '✅ room: joined, encrypted',
    '⚠️  room: joined, encrypted, but this account may not write',
    expect.stringMatching(/^⚠️ {2}room: .*not found/i),
  ]);
  expect(code).toBe(0);
});

test('sides that are away are warnings, also as JSON', async () => {
  await Promise.all([world.radio.close(), world.homeserver.close()]);
  const { code, out } = await check(world.config(), '--json');
  const { valid, online } = JSON.parse(out) as {
    readonly valid: boolean;
    readonly online: readonly { readonly status: string }[];
  };
  expect([code, valid, online.map(({ status }) => status)]).toEqual([0, true, ['warning', 'warning']]);
});
