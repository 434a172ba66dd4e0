import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { homePaths } from '../../src/cli/context.ts';
import { chooseRooms } from '../../src/cli/setup-rooms.ts';
import { scriptedServer } from '../support/scripted-server.ts';
import { cliBox } from './run-cli.ts';

test('rooms are made with a session whose access token has ended since the login', async () => {
  const server = await scriptedServer(({ path, token }) => {
    if (path.endsWith('/refresh')) return { body: { access_token: 'a2', refresh_token: 'r2' } };
    if (token !== 'a2') return { status: 401, body: { errcode: 'M_UNKNOWN_TOKEN', error: 'ended', soft_logout: true } };
    return { body: path.endsWith('/createRoom') ? { room_id: '!new:x' } : { joined_rooms: [] } };
  });
  onTestFinished(() => server.close());
  const { home } = cliBox();
  const session = { homeserver: server.url, access_token: 'a1', device_id: 'D', user_id: '@bot:x' };
  mkdirSync(home);
  const file = join(home, 'credentials.json');
  writeFileSync(file, JSON.stringify({ ...session, refresh_token: 'r1', expires_at_ms: 1 }));
  vi.spyOn(console, 'log').mockImplementation(() => undefined);
  onTestFinished(() => void vi.restoreAllMocks());
  const answers = ['new', 'Club', '-', 'n'];
  const dialogue = { talks: true, ask: () => Promise.resolve(answers.shift() ?? '') };

  const rooms = await chooseRooms({}, { paths: homePaths({ home }), dialogue, facts: null });

  expect(rooms).toEqual([{ id: '!new:x', channel: 0 }]);
  expect(readFileSync(file, 'utf8')).toContain('"r2"');
});
