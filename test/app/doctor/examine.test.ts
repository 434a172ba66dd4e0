import { chmodSync, mkdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { examine, type Network } from '../../../src/app/doctor/examine.ts';
import type { Finding, FindingGroup } from '../../../src/app/doctor/finding.ts';
import { checkLiveness } from '../../../src/app/doctor/liveness.ts';
import { resolvePaths } from '../../../src/config/paths.ts';
import { loadConfig } from '../../../src/config/search.ts';
import { acquireLock } from '../../../src/observe/process-lock.ts';
import { createHomeserver } from '../../../src/sandbox/homeserver/homeserver.ts';
import { openStore } from '../../../src/store/open-store.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { silentLogger } from '../../../src/util/logger.ts';
import { outboxRow } from '../../store/fixtures-plain.ts';
import { freePort } from '../../support/free-port.ts';
import { listen } from '../../support/listen.ts';
import { oldDatabase, put, scratch } from '../../support/old-homes.ts';
import { oldRelayOn } from '../../support/old-relay-process.ts';

const CONFIG = (change = ''): string => `
matrix_rooms:
  - id: "#mesh:example.org"
    meshtastic_channel: 0
meshtastic:
  connection_type: tcp
  host: 127.0.0.1
  port: 1
  meshnet_name: Test
${change}`;

function look(home: string, env: Readonly<Record<string, string>> = {}, network: Network = 'none') {
  const all = { HOME: '/nowhere', ...env };
  const found = loadConfig({ cliPath: null, home, env: all, cwd: home });
  const paths = resolvePaths({ cli: { home }, env: all, cwd: home, config: found.config, configFile: found.file });
  return examine({ paths, found, env: all, clock: systemClock, network });
}

const of = (findings: readonly Finding[], group: FindingGroup): string[] =>
  findings.filter((finding) => finding.group === group).map(({ status, text }) => `${status}: ${text}`);

describe('doctor', () => {
  test('plugins that are switched on and not there are named, and no reason to be unhealthy', async () => {
    const home = scratch();
    const plugins =
      'plugins: { pong: { active: true }, map: { active: true } }\ncustom-plugins: { gone: { active: true } }\n';
    put(
      join(home, 'config.yaml'),
      CONFIG(`matrix: { homeserver: 'http://127.0.0.1:1', access_token: t0ken }\n${plugins}`),
    );
    const { findings, healthy } = await look(home);
    expect(healthy).toBe(true);
    expect(of(findings, 'plugins')).toEqual([
      'warning: pong (core): there is no core plugin called pong; did you mean ping?',
      expect.stringMatching(/^warning: gone \(custom\): There is no .*gone; "mmrelay plugins new gone" makes one$/),
    ]);
  });

  test.skipIf(process.platform !== 'linux')(
    'beside the Python relay it says so, and leaves its radio alone',
    async () => {
      const home = scratch();
      put(join(home, 'config.yaml'), CONFIG(`matrix: { homeserver: 'http://127.0.0.1:1', access_token: t0ken }\n`));
      oldDatabase(join(home, 'database', 'meshtastic.sqlite'));
      const relay = await oldRelayOn(join(home, 'database', 'meshtastic.sqlite'));
      const { findings } = await look(home, {}, 'auto');
      expect(of(findings, 'daemon')).toEqual([`warning: the Python relay runs on ${home} (process ${relay.pid})`]);
      expect(of(findings, 'radio')).toEqual(['info: default: 127.0.0.1:1, not tried']);
    },
  );

  test('without a configuration file it says how to get one', async () => {
    const { findings } = await look(scratch());
    expect(findings.find(({ group }) => group === 'config')).toMatchObject({
      text: 'there is no configuration file',
      remedy: 'run `mmrelay setup`, or `mmrelay config generate`',
    });
    for (const group of ['matrix', 'radio', 'plugins'] as const)
      expect(of(findings, group)).toEqual(['info: not checked: the configuration is not valid']);
  });

  test('a home ready to start: healthy; nothing is created', async () => {
    const home = scratch();
    put(join(home, 'config.yaml'), CONFIG('matrix:\n  homeserver: http://127.0.0.1:1\n  access_token: t0ken\n'));
    const { findings, healthy, daemon } = await look(home);
    expect([healthy, daemon.running]).toEqual([true, false]);
    expect(of(findings, 'config')[0]).toMatch(/^ok: .*config.yaml: valid$/);
    expect(of(findings, 'database')[0]).toMatch(/^info: .*will be created on first run$/);
    expect(statSync(join(home, 'database'), { throwIfNoEntry: false })).toBeUndefined();
  });

  test('errors count (C12): broken configuration, no credentials, damaged database', async () => {
    const home = scratch();
    put(join(home, 'config.yaml'), CONFIG());
    put(join(home, 'database', 'meshtastic.sqlite'), `SQLite format 3\0${'x'.repeat(5000)}`);
    const first = await look(home);
    expect(first.healthy).toBe(false);
    expect(of(first.findings, 'matrix')[0]).toMatch(/^error: No Matrix credentials/);
    expect(of(first.findings, 'database')[0]).toMatch(/^error: /);
    put(join(home, 'config.yaml'), 'meshtastic: [');
    expect(of((await look(home)).findings, 'config')[0]).toMatch(/^error: .*1 error$/);
  });

  test('an absent radio and an absent homeserver are warnings; a refused token is an error', async () => {
    const home = scratch();
    put(join(home, 'config.yaml'), CONFIG());
    const session = {
      homeserver: `http://127.0.0.1:${await freePort()}`,
      access_token: 't',
      device_id: 'D',
      user_id: '@r:x',
    };
    put(join(home, 'credentials.json'), JSON.stringify(session));
    chmodSync(join(home, 'credentials.json'), 0o600);
    const away = await look(home, {}, 'auto');
    expect(away.healthy).toBe(true);
    expect(of(away.findings, 'radio')[0]).toMatch(/^warning: default: 127.0.0.1:1: .*ECONNREFUSED/);
    expect(of(away.findings, 'matrix')[1]).toMatch(/^warning: .*refuses connections/);
    const server = await createHomeserver({ serverName: 'test.local' });
    try {
      put(join(home, 'credentials.json'), JSON.stringify({ ...session, homeserver: server.baseUrl }));
      const refused = await look(home, {}, 'auto');
      expect(of(refused.findings, 'matrix')[1]).toBe('error: the homeserver refuses the token');
      expect(refused.healthy).toBe(false);
      const { accessToken } = server.registerUser('relay', 'pw');
      put(
        join(home, 'credentials.json'),
        JSON.stringify({ ...session, homeserver: server.baseUrl, access_token: accessToken }),
      );
      const accepted = await look(home, {}, 'auto');
      expect(of(accepted.findings, 'matrix')[1]).toMatch(/^ok: the homeserver accepts the token/);
      expect(of(accepted.findings, 'clock')[0]).toMatch(/^ok: .* UTC; the homeserver agrees$/);
      expect(of(accepted.findings, 'matrix')[2]).toMatch(/^warning: #mesh:example.org: /);
    } finally {
      await server.close();
    }
  });

  test('beside a running daemon it does not take the radio, and says what the daemon says', async () => {
    const home = scratch();
    let visits = 0;
    const radio = createServer((socket) => {
      visits += 1;
      socket.destroy();
    });
    const port = await listen(radio);
    put(
      join(home, 'config.yaml'),
      CONFIG('matrix:\n  homeserver: http://127.0.0.1:1\n  access_token: t0ken\n').replace('port: 1', `port: ${port}`),
    );
    await look(home, {}, 'auto');
    expect(visits).toBe(1);
    const ready = join(home, 'ready');
    put(ready, JSON.stringify({ pid: process.pid, state: 'degraded', reasons: ['radio:default: kicked'] }));
    const lock = acquireLock({ path: join(home, 'mmrelay.lock'), clock: systemClock });
    const result = await look(home, { MMRELAY_READY_FILE: ready }, 'auto');
    // `config check --online` neither.
    await look(home, { MMRELAY_READY_FILE: ready }, 'everything');
    expect(visits).toBe(1);
    expect(result.healthy).toBe(true);
    expect(of(result.findings, 'daemon')).toEqual([
      expect.stringMatching(new RegExp(`^ok: running as process ${process.pid}, for .*: degraded$`)),
      'warning: radio:default: kicked',
    ]);
    // In a pod, plain doctor may be the liveness probe: only what a restart cures may fail it.
    rmSync(join(home, 'config.yaml'));
    expect((await look(home, { MMRELAY_READY_FILE: ready })).healthy).toBe(false);
    expect((await look(home, { MMRELAY_READY_FILE: ready, KUBERNETES_SERVICE_HOST: '10.0.0.1' })).healthy).toBe(true);
    if (lock.ok) lock.lock.release();
    await new Promise((resolve) => radio.close(resolve));
  });

  test('a broker is looked for as a radio is', async () => {
    const home = scratch();
    const port = await freePort();
    const mqtt = `  mqtt: { host: 127.0.0.1, port: ${port}, channels: [{ name: LongFast, psk: AQ== }] }\n`;
    const text = CONFIG('matrix:\n  homeserver: http://127.0.0.1:1\n  access_token: t0ken\n')
      .replace('connection_type: tcp', 'connection_type: mqtt')
      .replace('  host: 127.0.0.1\n  port: 1\n', mqtt);
    put(join(home, 'config.yaml'), text);
    expect(of((await look(home)).findings, 'radio')).toEqual([
      `info: default: MQTT broker 127.0.0.1:${port}, not tried`,
    ]);
    const refused = of((await look(home, {}, 'auto')).findings, 'radio')[0];
    expect(refused).toMatch(/^warning: default: MQTT broker 127.0.0.1:\d+: .*ECONNREFUSED/);
  });

  test('a queue that waits too long is named, and the last packet; the database is only read', async () => {
    const home = scratch();
    put(join(home, 'config.yaml'), CONFIG('matrix:\n  homeserver: http://127.0.0.1:1\n  access_token: t0ken\n'));
    const path = join(home, 'database', 'meshtastic.sqlite');
    const store = openStore({ path, logger: silentLogger });
    store.outbox.add(outboxRow({ lane: 'room:!a', createdAtMs: Date.now() - 3_600_000, expiresAtMs: Date.now() * 2 }));
    const busy = await look(home);
    expect(of(busy.findings, 'database')).toEqual([
      expect.stringMatching(/^ok: .*schema \d+, Journal: WAL mode$/),
      'warning: room:!a: 1 waiting, 0 on the way, the oldest for 60 min',
      'info: no packet of the mesh yet',
    ]);
    store.close();
  });

  test('keys without the key that opens them are named', async () => {
    const home = scratch();
    put(join(home, 'config.yaml'), CONFIG());
    put(join(home, 'store', 'crypto-DEVICE.sqlite'), '');
    const { findings, healthy } = await look(home);
    expect(of(findings, 'e2ee')[0]).toBe(
      `error: ${join(home, 'crypto.key')} is missing: it opens the keys in ${join(home, 'store')}`,
    );
    expect(healthy).toBe(false);
    put(join(home, 'crypto.key'), 'x');
    expect(of((await look(home)).findings, 'e2ee')[0]).toMatch(/^ok: available; 1 file in /);
  });

  test('secrets that everybody can read are named', async () => {
    const home = scratch();
    put(join(home, 'config.yaml'), CONFIG());
    put(join(home, 'credentials.json'), JSON.stringify({ homeserver: 'http://127.0.0.1:1', access_token: 't' }));
    chmodSync(join(home, 'credentials.json'), 0o644);
    expect(of((await look(home)).findings, 'home')[1]).toMatch(/^warning: .*every user of this machine/);
  });
});

test('doctor names the room that replaced a configured one', async () => {
  const home = scratch();
  put(join(home, 'config.yaml'), CONFIG().replace('#mesh:example.org', '!old:example.org'));
  const path = join(home, 'database', 'meshtastic.sqlite');
  mkdirSync(join(home, 'database'), { recursive: true });
  const store = openStore({ path, logger: silentLogger });
  store.values.set('upgraded:!old:example.org', '!middle:example.org');
  store.values.set('upgraded:!middle:example.org', '!new:example.org');
  store.close();
  const { findings } = await look(home);
  expect(findings).toContainEqual(
    expect.objectContaining({ status: 'warning', remedy: 'put !new:example.org into the configuration' }),
  );
});

describe('liveness', () => {
  const check = (home: string, env: Readonly<Record<string, string>> = {}) =>
    checkLiveness({ home, env, clock: systemClock });
  const age = (path: string, seconds: number): void => {
    const then = Date.now() / 1000 - seconds;
    utimesSync(path, then, then);
  };

  test('nobody there: dead. A lock that is held: alive. Silent for long: stuck', () => {
    const home = scratch();
    expect(check(home).alive).toBe(false);
    const path = join(home, 'mmrelay.lock');
    const lock = acquireLock({ path, clock: systemClock });
    expect(check(home)).toEqual({ alive: true, reason: `process ${process.pid} lives` });
    age(path, 30);
    expect(check(home).alive).toBe(true);
    age(path, 90);
    expect(check(home)).toMatchObject({ alive: false, reason: expect.stringContaining('is stuck') });
    if (lock.ok) lock.lock.release();
  });

  test('the ready file: absent is no reason, fresh is fine, old means no progress (R1, R2)', () => {
    const home = scratch();
    const lock = acquireLock({ path: join(home, 'mmrelay.lock'), clock: systemClock });
    const ready = join(home, 'run', 'ready');
    const env = { MMRELAY_READY_FILE: ready };
    expect(check(home, env)).toMatchObject({ alive: true, reason: expect.stringContaining('not ready yet') });
    mkdirSync(join(home, 'run'));
    writeFileSync(ready, JSON.stringify({ state: 'degraded' }));
    expect(check(home, env)).toMatchObject({ alive: true, reason: expect.stringContaining('degraded') });
    age(ready, 170);
    expect(check(home, env).alive).toBe(true);
    age(ready, 190);
    expect(check(home, env)).toMatchObject({ alive: false, reason: expect.stringContaining('makes no progress') });
    expect(check(home, { ...env, MMRELAY_READY_HEARTBEAT_SECONDS: '0' }).alive).toBe(true);
    expect(check(home, { ...env, MMRELAY_READY_HEARTBEAT_SECONDS: '120' }).alive).toBe(true);
    if (lock.ok) lock.lock.release();
  });
});
