import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createVirtualRadio, type VirtualRadio } from '../../src/sandbox/radio/virtual-radio.ts';
import { Client, V3 } from '../contract/homeserver-client.ts';
import { DaemonProcess } from '../support/daemon-process.ts';
import { eventually } from './support/eventually.ts';
import { NioUser } from './support/nio-user.ts';
import { type Synapse, type SynapseUser, startSynapse } from './support/synapse.ts';

const { synapse: noSynapse, nio: noNio } = inject('pythonMissing');
const missing = noSynapse ?? noNio;
const title = 'a home whose device has the keys of the Python SDK';
const NODE = { num: 0x0a11ce01, longName: 'Alice', shortName: 'ALI' };
const USER = '@relay:synapse.test';

describe.skipIf(missing !== null)(missing === null ? title : `${title} (${missing})`, () => {
  let radio: VirtualRadio;
  let synapse: Synapse;
  let session: SynapseUser;
  let carol: NioUser;
  let roomId: string;
  const closing: (() => unknown)[] = [];

  beforeAll(async () => {
    radio = await createVirtualRadio({ region: 'US', modemPreset: 'SHORT_TURBO', nodes: [NODE] });
    synapse = await startSynapse({ rateLimits: 'off' });
    session = await synapse.registerUser('relay', 'a password');
    // The old relay: it has published its keys, and is gone.
    const old = await NioUser.start(synapse.baseUrl, session);
    const relay = new Client(synapse, session);
    await eventually('the keys of the old relay', async () => {
      const answer = await relay.ok('POST', `${V3}/keys/query`, { device_keys: { [USER]: [session.deviceId] } });
      return answer.device_keys[USER]?.[session.deviceId] ?? null;
    });
    await old.stop();
    const user = await synapse.registerUser('carol', 'another');
    const encryption = { type: 'm.room.encryption', content: { algorithm: 'm.megolm.v1.aes-sha2' } };
    roomId = await new Client(synapse, user).createRoom({ preset: 'public_chat', initial_state: [encryption] });
    carol = await NioUser.start(synapse.baseUrl, user);
  });

  afterAll(async () => {
    for (const close of closing) await close();
    await carol?.stop();
    await radio?.close();
    await synapse?.stop();
  });

  /** As mmrelay 1.4 leaves it. */
  function oldHome(): string {
    const home = mkdtempSync(join(tmpdir(), 'mmrelay-old-'));
    closing.push(() => rmSync(home, { recursive: true, force: true }));
    mkdirSync(join(home, 'matrix', 'store'), { recursive: true });
    const { accessToken, deviceId, userId } = session;
    const file = { homeserver: synapse.baseUrl, access_token: accessToken, device_id: deviceId, user_id: userId };
    writeFileSync(join(home, 'matrix', 'credentials.json'), JSON.stringify(file, null, 2));
    writeFileSync(join(home, 'matrix', 'store', `${USER}_${deviceId}.db`), 'keys of the Python relay');
    return home;
  }

  function daemonOn(home: string, matrix: object): DaemonProcess {
    const daemon = new DaemonProcess({
      config: {
        meshtastic: { connection_type: 'tcp', host: '127.0.0.1', port: radio.port, meshnet_name: 'Home' },
        matrix: { e2ee: { enabled: true }, ...matrix },
        matrix_rooms: [{ id: roomId, meshtastic_channel: 0 }],
      },
      home,
    });
    closing.push(() => daemon.close());
    daemon.start();
    return daemon;
  }

  const deviceIn = (home: string): string =>
    JSON.parse(readFileSync(join(home, 'matrix', 'credentials.json'), 'utf8')).device_id;
  const oldStore = (home: string): string =>
    readFileSync(join(home, 'matrix', 'store', `${USER}_${session.deviceId}.db`), 'utf8');
  const crosses = async (text: string): Promise<void> => {
    radio.node(NODE.num).sendText(0, text);
    expect(await carol.hears(`[Alice/Home]: ${text}`)).toMatchObject({ encrypted: true, sender: USER });
  };

  it('explains it, and one command without further questions makes a new device', async () => {
    const home = oldHome();
    const daemon = daemonOn(home, {});
    await daemon.ready();
    await eventually('the explanation', () =>
      /keys of another program[^"]*mmrelay auth login/.test(daemon.output) ? true : null,
    );
    const doctor = await daemon.command(['doctor', '--home', home, '--config', daemon.configPath], '');
    expect(doctor.words).toMatch(/of the Python relay/);
    expect(await daemon.end('SIGTERM')).toBe(0);

    const login = await daemon.command(['auth', 'login', '--home', home, '--password-stdin'], 'a password\n');
    expect(login).toMatchObject({ code: 0, words: expect.stringContaining(`Logged in as ${USER}`) });
    expect(deviceIn(home)).not.toBe(session.deviceId);
    daemon.start();
    await daemon.ready();
    await crosses('from a new device');
    expect(oldStore(home)).toBe('keys of the Python relay');
  });

  it('with a password in the configuration it makes the new device by itself', async () => {
    const home = oldHome();
    const daemon = daemonOn(home, { homeserver: synapse.baseUrl, bot_user_id: USER, password: 'a password' });
    await daemon.ready();
    await crosses('by itself');
    expect(daemon.output).toContain('A new device is made');
    expect(deviceIn(home)).not.toBe(session.deviceId);
    expect(oldStore(home)).toBe('keys of the Python relay');
    expect(readdirSync(join(home, 'matrix', 'store')).toSorted()).toContain(`crypto-${deviceIn(home)}.sqlite`);
  });
});
