import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { logIn } from '../../src/app/log-in/log-in.ts';
import { resolvePaths } from '../../src/config/paths.ts';
import { loginWithPassword, whoami } from '../../src/matrix/auth/login.ts';
import { renewSession } from '../../src/matrix/auth/renew.ts';
import { createHttp } from '../../src/matrix/http.ts';
import { createVirtualRadio, type VirtualRadio } from '../../src/sandbox/radio/virtual-radio.ts';
import { systemClock } from '../../src/util/clock.ts';
import { Client, V3 } from '../contract/homeserver-client.ts';
import { DaemonProcess } from '../support/daemon-process.ts';
import { browse, type CasServer, casServer } from './support/cas-server.ts';
import { untilSeen } from './support/conversation.ts';
import { eventually } from './support/eventually.ts';
import { type Synapse, startSynapse } from './support/synapse.ts';

const missing = inject('pythonMissing').synapse;
const NODE = { num: 0x0a11ce01, longName: 'Alice', shortName: 'ALI' };
const LIFETIME = '6s';
const context = { http: createHttp(systemClock), timeoutMs: 10_000, clock: systemClock };
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

describe.skipIf(missing !== null)(`logging in to Synapse${missing === null ? '' : ` (${missing})`}`, () => {
  let cas: CasServer;
  let synapse: Synapse;
  let radio: VirtualRadio;
  let carol: Client;
  let roomId: string;
  let home: string;
  let lasting: Client['user'][];
  const daemons: DaemonProcess[] = [];

  beforeAll(async () => {
    cas = await casServer('relay');
    radio = await createVirtualRadio({ region: 'US', modemPreset: 'SHORT_TURBO', nodes: [NODE] });
    synapse = await startSynapse({
      rateLimits: 'off',
      config: { cas_config: { enabled: true, server_url: cas.url }, login_via_existing_session: { enabled: true } },
    });
    await synapse.registerUser('relay', 'a password');
    carol = new Client(synapse, await synapse.registerUser('carol', 'another'));
    roomId = await carol.createRoom({ preset: 'public_chat', name: 'Valley' });
    lasting = [await passwordSession(), await passwordSession()];
    // From now on tokens end after a few seconds; those that were given live on.
    const file = join(synapse.dataDir, 'homeserver.yaml');
    const config = JSON.parse(readFileSync(file, 'utf8'));
    const limits = { refreshable_access_token_lifetime: LIFETIME, nonrefreshable_access_token_lifetime: LIFETIME };
    writeFileSync(file, JSON.stringify({ ...config, ...limits }));
    await synapse.restart();
  });
  afterEach(async () => {
    for (const daemon of daemons.splice(0)) await daemon.close();
    rmSync(home, { recursive: true, force: true });
  });
  afterAll(async () => {
    await radio?.close();
    await synapse?.stop();
    await cas?.close();
  });

  function newHome(): string {
    home = mkdtempSync(join(tmpdir(), 'mmrelay-auth-'));
    return home;
  }

  function daemonOf(matrix: object): DaemonProcess {
    const daemon = new DaemonProcess({
      config: {
        meshtastic: { connection_type: 'tcp', host: '127.0.0.1', port: radio.port, meshnet_name: 'Home' },
        matrix: { homeserver: synapse.baseUrl, ...matrix },
        matrix_rooms: [{ id: roomId, meshtastic_channel: 0 }],
      },
      home,
    });
    daemons.push(daemon);
    return daemon;
  }

  const credentials = () => JSON.parse(readFileSync(join(home, 'credentials.json'), 'utf8'));
  const crosses = async (text: string): Promise<void> => {
    radio.node(NODE.num).sendText(0, text);
    await untilSeen(carol, roomId, ({ content }) => content.body?.endsWith(text) === true, 60_000);
  };
  /** A token that has ended is noticed when the poll of half a minute is over. */
  const said = (daemon: DaemonProcess, words: string) =>
    eventually(words, () => (daemon.output.includes(words) ? true : null), 60_000);
  const identityKey = async (device: string): Promise<string | undefined> => {
    const user = '@relay:synapse.test';
    const answer = await carol.ok('POST', `${V3}/keys/query`, { device_keys: { [user]: [device] } });
    return answer.device_keys[user]?.[device]?.keys?.[`ed25519:${device}`];
  };
  const mmrelay = (args: readonly string[], input = '') => daemonOf({}).command([...args, '--home', home], input);
  const loginFlags = () => ['auth', 'login', '--homeserver', synapse.baseUrl];

  it('with a password, where sessions end soon: it renews itself while the relay runs, and over restarts', async () => {
    newHome();
    const login = await mmrelay([...loginFlags(), '--username', 'relay', '--password-stdin'], 'a password\n');
    expect(login).toMatchObject({ code: 0, words: expect.stringContaining('Logged in as @relay:synapse.test') });
    const first = credentials();
    expect(first).toMatchObject({ device_id: expect.any(String), refresh_token: expect.any(String) });
    const daemon = daemonOf({});
    daemon.start();
    await daemon.ready();
    for (let i = 0; i < 4; i += 1) {
      await crosses(`renewed ${i}`);
      await delay(4_000);
    }
    expect(await daemon.end('SIGKILL')).toBeNull();
    await delay(7_000);
    daemon.start();
    await crosses('after a pause longer than a token lasts');
    expect(credentials()).toMatchObject({ device_id: first.device_id });
    expect(credentials().access_token).not.toBe(first.access_token);
    expect(daemon.output).not.toMatch(/Logged out|logging in again/);
    expect(await daemon.end('SIGTERM')).toBe(0);
    await delay(7_000);
    expect(await mmrelay(['auth', 'status', '--check'])).toMatchObject({
      code: 0,
      words: expect.stringMatching(/renews itself[\s\S]*accepts it/),
    });
    expect(await mmrelay(['auth', 'logout', '--yes'])).toMatchObject({ code: 0, words: expect.stringMatching(/Kept/) });
    expect(existsSync(join(home, 'credentials.json'))).toBe(false);
    expect(await identityKey(first.device_id)).toBeUndefined();
  });

  it('renewed, and killed before the new tokens were stored: the old ones get others', async () => {
    const target = { baseUrl: synapse.baseUrl, deviceId: null, renewable: true, ...context };
    const settings = { homeserver: synapse.baseUrl, user: 'relay', password: 'a password', deviceName: 'mmrelay' };
    const session = await loginWithPassword(settings, target);
    if (session.renewal === undefined) throw new Error('the session cannot be renewed');
    const lost = await renewSession(session, session.renewal, context);
    const found = await renewSession(session, session.renewal, context);
    expect(found.accessToken).not.toBe(lost.accessToken);
    expect(await whoami(found, context)).toEqual({ userId: '@relay:synapse.test', deviceId: session.deviceId });
    await expect(renewSession(session, session.renewal, context)).rejects.toMatchObject({ code: 'MATRIX_LOGGED_OUT' });
  });

  it('in the browser (CAS), by the address that the command shows', async () => {
    newHome();
    const child = spawn(process.execPath, [MAIN, ...loginFlags(), '--sso', '--renewable', '--home', home]);
    let words = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (words += chunk.toString()));
    const address = await eventually('an address', () => /^ +(http\S+)$/m.exec(words)?.[1] ?? null);
    expect(await browse(address)).toContain('mmrelay is logged in');
    if (child.exitCode === null) await once(child, 'close');
    expect(words).toContain('✅ Logged in as @relay:synapse.test');
    expect(child.exitCode).toBe(0);
    expect(credentials().refresh_token).toEqual(expect.any(String));
    expect((await mmrelay(['auth', 'status', '--check', '--json'])).words).toContain('"tokenValid": true');
  });

  it('with a login token of another session', async () => {
    newHome();
    const path = '/_matrix/client/v1/login/get_token';
    const relay = new Client(synapse, await passwordSession());
    const asked = await relay.call('POST', path, {});
    const identifier = { type: 'm.id.user', user: 'relay' };
    const auth = { type: 'm.login.password', identifier, password: 'a password', session: asked.body.session };
    const { login_token: token } = await relay.ok('POST', path, { auth });
    const show = (address: string): void => {
      void browse(`${new URL(address).searchParams.get('redirectUrl')}?loginToken=${token}`);
    };
    const method = { kind: 'sso', dialogue: { show, askForAddress: () => Promise.resolve('') } } as const;
    const paths = resolvePaths({ cli: { home }, env: { HOME: '/nowhere' }, cwd: '/' });
    const { credentials: made, notes } = await logIn({ homeserver: synapse.baseUrl, method }, paths);
    expect(made.userId).toBe('@relay:synapse.test');
    expect(made.deviceId).not.toBe(relay.user.deviceId);
    expect(notes).toEqual([expect.stringMatching(/ends this session at .* --renewable/)]);
  });

  /** A session without a refresh token, whose token ends in some seconds; in beforeAll it never does. */
  async function passwordSession(): Promise<Client['user']> {
    const identifier = { type: 'm.id.user', user: 'relay' };
    const body = { type: 'm.login.password', identifier, password: 'a password' };
    const made = await carol.ok('POST', `${V3}/login`, body);
    return { userId: made.user_id, accessToken: made.access_token, deviceId: made.device_id };
  }

  /** As its owner does in the settings of another client: all its tokens end, its keys are gone. */
  async function removeDevice(session: Client['user']): Promise<void> {
    await new Client(synapse, session).ok('POST', `${V3}/logout`, {});
  }

  function store({ userId, accessToken, deviceId }: Client['user']): void {
    const file = { homeserver: synapse.baseUrl, access_token: accessToken, device_id: deviceId, user_id: userId };
    writeFileSync(join(newHome(), 'credentials.json'), JSON.stringify(file));
  }

  it('again after a soft logout, with the password: the same device with the same keys', async () => {
    const session = await passwordSession();
    store(session);
    const daemon = daemonOf({ bot_user_id: '@relay:synapse.test', password: 'a password' });
    daemon.start();
    await daemon.ready();
    const key = await eventually('the keys', async () => (await identityKey(session.deviceId)) ?? null);
    await said(daemon, 'Logged in to the homeserver');
    await crosses('after the soft logout');
    expect(credentials().device_id).toBe(session.deviceId);
    expect(await identityKey(session.deviceId)).toBe(key);
    expect(readdirSync(join(home, 'store')).filter((name) => name.endsWith('.sqlite'))).toHaveLength(1);
  });

  it('again after somebody removed the device: a new one, the keys of the old one kept', async () => {
    const session = lasting.pop() ?? (await passwordSession());
    store(session);
    const daemon = daemonOf({ bot_user_id: '@relay:synapse.test', password: 'a password' });
    daemon.start();
    await daemon.ready();
    await removeDevice(session);
    await eventually('a new device', () => (credentials().device_id === session.deviceId ? null : true), 60_000);
    await crosses('from the new device');
    expect(daemon.output).toContain('The old device is left');
    const stores = readdirSync(join(home, 'store')).filter((name) => name.endsWith('.sqlite'));
    expect(stores.toSorted()).toEqual(
      [`crypto-${session.deviceId}.sqlite`, `crypto-${credentials().device_id}.sqlite`].toSorted(),
    );
  });

  it.each([
    ['whose token ended', false],
    ['whose device was removed', true],
  ])('without a password, a session %s is named with its remedy, and the relay goes on after it', async (_, removed) => {
    const session = (removed ? lasting.pop() : undefined) ?? (await passwordSession());
    store(session);
    const daemon = daemonOf({});
    daemon.start();
    await daemon.ready();
    if (removed) await removeDevice(session);
    await said(daemon, 'mmrelay auth login');
    radio.node(NODE.num).sendText(0, `said while logged out: ${session.deviceId}`);
    expect((await mmrelay(['doctor', '--online', '--config', daemon.configPath])).words).toMatch(
      /refuses the token[\s\S]*mmrelay auth login/,
    );
    // On a slow machine the token may end before the relay has made keys for the device.
    const hadKeys = existsSync(join(home, 'store', `crypto-${session.deviceId}.sqlite`));
    const login = await mmrelay(['auth', 'login', '--password-stdin'], 'a password\n');
    expect(login.words).toMatch(/The relay runs \(pid \d+\)/);
    await untilSeen(carol, roomId, ({ content }) => content.body?.endsWith(session.deviceId) === true, 60_000);
    expect(credentials().device_id === session.deviceId).toBe(hadKeys && !removed);
    expect(await identityKey(credentials().device_id)).toEqual(expect.any(String));
    await crosses(`and what comes after ${session.deviceId}`);
  });
});
