import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { createHomeserver, type Homeserver } from '../../src/sandbox/homeserver/homeserver.ts';
import { createVirtualRadio } from '../../src/sandbox/radio/virtual-radio.ts';
import { openStore } from '../../src/store/open-store.ts';
import { silentLogger } from '../../src/util/logger.ts';
import { put } from '../support/old-homes.ts';
import { Person } from '../support/person.ts';
import { type CliBox, cliBox } from './run-cli.ts';
import { stableDoctor } from './stable-doctor.ts';

let server: Homeserver;
let box: CliBox;
let relay: Person;
let radioPort: number;
let room: string;

beforeEach(async () => {
  server = await createHomeserver({ serverName: 'test.local' });
  const radio = await createVirtualRadio({ region: 'EU_868' });
  onTestFinished(async () => {
    await Promise.all([server.close(), radio.close()]);
  });
  radioPort = radio.port;
  relay = new Person({ ...server.registerUser('relay', 'pw'), baseUrl: server.baseUrl });
  room = await relay.createRoom('Mesh');
  box = cliBox();
  session(relay.session.accessToken);
  openStore({ path: join(box.home, 'database', 'meshtastic.sqlite'), logger: silentLogger }).close();
});

function session(token: string): void {
  const file = join(box.home, 'credentials.json');
  put(
    file,
    JSON.stringify({ homeserver: server.baseUrl, access_token: token, device_id: 'DEV', user_id: '@relay:test.local' }),
  );
  chmodSync(file, 0o600);
  put(
    join(box.home, 'config.yaml'),
    `matrix_rooms: [{id: "${room}", meshtastic_channel: 0}]
meshtastic: {connection_type: tcp, host: 127.0.0.1, port: ${radioPort}, meshnet_name: Test}
`,
  );
}

/** Without what differs from run to run. */
function stable(out: string): string {
  return stableDoctor(out)
    .replaceAll(room, '<room>')
    .replaceAll(server.baseUrl, '<homeserver>')
    .replaceAll(`:${radioPort}`, ':<port>');
}

test('a home where all is well, word for word, exit 0', async () => {
  const { code, out, err } = await box.run('doctor');
  expect([code, err]).toEqual([0, '']);
  expect(stable(out)).toMatchInlineSnapshot(`
    "📝 Configuration:
       ✅ <root>/.mmrelay/config.yaml: valid

    🏃 Daemon:
       ℹ️  no relay runs on <root>/.mmrelay
          → start it with \`mmrelay\`

    🏠 Home:
       ✅ <root>/.mmrelay can be written

    🕒 Clock:
       ✅ <date> UTC; the homeserver agrees

    🔐 E2EE:
       ✅ available; no keys yet

    💬 Matrix:
       ✅ session of @relay:test.local on <homeserver>
       ✅ the homeserver accepts the token (device <device>)
       ✅ <room>: joined, not encrypted

    📡 Radio:
       ✅ default: 127.0.0.1:<port> answers

    💾 Disk Space:
       <disk>

    🗄️  Database:
       ✅ <root>/.mmrelay/database/meshtastic.sqlite: <size>, schema <n>, Journal: WAL mode
       ✅ nothing waits
       ℹ️  no packet of the mesh yet

    🧩 Plugins:
       ✅ none is active

    🔄 Migration Status:
       ✅ none needed

    ✅ All is well; no relay is running.
    "
  `);
});

test('a refused token and a radio that is away: one error, one warning, exit 1; as JSON the same', async () => {
  session('revoked');
  const { code, out } = await box.run('doctor');
  expect(code).toBe(1);
  expect(out).toContain('   ❌ the homeserver refuses the token\n      → run `mmrelay auth login`');
  const json = await box.run('doctor', '--json');
  expect(json.code).toBe(1);
  const { healthy, findings } = JSON.parse(json.out);
  expect(healthy).toBe(false);
  expect(findings.filter(({ status }: { status: string }) => status === 'error')).toMatchObject([
    { group: 'matrix', text: 'the homeserver refuses the token', remedy: 'run `mmrelay auth login`' },
  ]);
});

test('offline nobody is asked; a contradiction in the flags is told', async () => {
  const before = server.requestCount();
  expect((await box.run('doctor', '--offline')).code).toBe(0);
  expect(server.requestCount()).toBe(before);
  expect((await box.run('doctor', '--online', '--offline')).code).toBe(2);
});

test('as a probe: one line, exit 1 while no relay runs', async () => {
  expect(await box.run('doctor', '--liveness')).toEqual({
    code: 1,
    out: '❌ no relay runs on <root>/.mmrelay\n',
    err: '',
  });
  expect(JSON.parse((await box.run('doctor', '--liveness', '--json')).out)).toEqual({
    alive: false,
    reason: 'no relay runs on <root>/.mmrelay',
  });
});
