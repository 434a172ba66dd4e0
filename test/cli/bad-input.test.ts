import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { createHomeserver, type Homeserver } from '../../src/sandbox/homeserver/homeserver.ts';
import { createVirtualRadio } from '../../src/sandbox/radio/virtual-radio.ts';
import { DaemonProcess } from '../support/daemon-process.ts';
import { Person } from '../support/person.ts';

// What people get wrong, through the real program: plain words, the right exit code (util/exit-code.ts), nothing lost.

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const NOBODY = 65_534;
const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mmrelay-bad-'));
  closing.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

interface Outcome {
  readonly code: number | null;
  readonly words: string;
}

function mmrelay(args: readonly string[], options: { input?: string; as?: number } = {}): Outcome {
  const { input = '', as: uid } = options;
  const run = spawnSync(process.execPath, [MAIN, ...args], {
    encoding: 'utf8',
    input,
    timeout: 20_000,
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  return { code: run.status, words: `${run.stdout}${run.stderr}` };
}

function configured(text: string): string {
  const path = join(scratch(), 'config.yaml');
  writeFileSync(path, text);
  return path;
}

const GOOD = `meshtastic:
  connection_type: tcp
  host: 127.0.0.1
matrix:
  homeserver: http://127.0.0.1:65535
  bot_user_id: "@relay:x.test"
  password: a-password
matrix_rooms:
  - id: "!a:x.test"
    meshtastic_channel: 0
`;

describe('a wrong configuration ends with exit code 3 and its place', () => {
  it.each([
    ['YAML that is none', GOOD.replace('  host:', '   host:'), /config\.yaml:\d+:\d+: error: not valid YAML/],
    [
      'a wrong type',
      GOOD.replace(/matrix_rooms:[\s\S]*/, 'matrix_rooms: 5\n'),
      /config\.yaml:8:1: error: matrix_rooms: is not valid/,
    ],
    ['a required key misspelt', GOOD.replace('matrix_rooms', 'matrix_room'), /did you mean: matrix_rooms/],
  ])('%s', (_name, text, words) => {
    const path = configured(text);
    const home = scratch();
    for (const command of [['config', 'check'], ['run']]) {
      const outcome = mmrelay([...command, '--config', path, '--home', home]);

      expect(outcome.words).toMatch(words);
      expect(outcome.code, outcome.words).toBe(3);
    }
    expect(existsSync(join(home, 'database'))).toBe(false);
  });

  it('an unknown key is named with the nearest known one, and does not stop the relay', () => {
    const path = configured(GOOD.replace('  host: 127.0.0.1', '  host: 127.0.0.1\n  meshnet_nam: X'));
    const outcome = mmrelay(['config', 'check', '--config', path, '--home', scratch()]);

    expect(outcome.words).toMatch(/config\.yaml:4:3: warning: meshtastic\.meshnet_nam: is not a known key/);
    expect(outcome.words).toContain('did you mean: meshnet_name');
    expect(outcome.code).toBe(0);
    expect(mmrelay(['config', 'check', '--strict', '--config', path, '--home', scratch()]).code).toBe(3);
  });

  it('a home that is a file is named by doctor, and by others without a stack', () => {
    const home = configured(GOOD);
    const doctor = mmrelay(['doctor', '--offline', '--home', home, '--config', home]);
    expect(doctor.words).toContain(`${home} is not a folder`);
    expect(doctor.code).toBe(1);
    const other = mmrelay(['plugins', 'new', 'x', '--home', home]);
    expect(other.words).toMatch(/^ENOTDIR: not a directory, mkdir .*config\.yaml/);
    expect(other.words).not.toContain('    at ');
  });

  it('no configuration at all says where it was looked for', () => {
    const outcome = mmrelay(['run', '--home', scratch(), '--config', '/nowhere/config.yaml']);

    expect(outcome.words).toContain('/nowhere/config.yaml');
    expect(outcome.code).toBe(3);
  });

  it('an unknown option is a usage error', () => {
    expect(mmrelay(['--hom', '/x']).code).toBe(2);
  });
});

describe('accounts', () => {
  it('a wrong password: exit code 4, in words, and no credentials are written', async () => {
    const server = await homeserver();
    server.registerUser('relay', 'right');
    const home = scratch();
    const child = new DaemonProcess({ config: {}, home });
    closing.push(() => child.close());
    const args = ['auth', 'login', '--home', home, '--homeserver', server.baseUrl, '--username', 'relay'];
    const outcome = await child.command([...args, '--password-stdin'], 'wrong\n');

    expect(outcome.words).toMatch(/password/i);
    expect(outcome.words).not.toContain('wrong\n');
    expect(outcome.code).toBe(4);
    expect(existsSync(join(home, 'credentials.json'))).toBe(false);
  });

  it('a homeserver that cannot be reached at login is named', () => {
    const args = [
      'auth',
      'login',
      '--home',
      scratch(),
      '--homeserver',
      'http://127.0.0.1:65535',
      '--username',
      'relay',
    ];
    const outcome = mmrelay([...args, '--password-stdin'], { input: 'x\n' });

    expect(outcome.words).toMatch(/127\.0\.0\.1:65535|refuses connections/);
    expect(outcome.code).not.toBe(0);
  });

  it('no account at all: exit code 4 and what to do', () => {
    const path = configured(GOOD.replace('  password: a-password\n', ''));
    const outcome = mmrelay(['run', '--config', path, '--home', scratch()]);

    expect(outcome.words).toContain('mmrelay auth login');
    expect(outcome.code).toBe(4);
  });
});

describe('a world that is not there', () => {
  it('neither radio nor homeserver: the relay runs on, says so, and ends cleanly', async () => {
    const daemon = new DaemonProcess({
      config: {
        meshtastic: { connection_type: 'tcp', host: '127.0.0.1', port: 65_534 },
        matrix: { homeserver: 'http://127.0.0.1:65535', bot_user_id: '@relay:x.test', password: 'a-password' },
        matrix_rooms: [{ id: '!a:x.test', meshtastic_channel: 0 }],
      },
    });
    closing.push(() => daemon.close());
    daemon.start();
    await daemon.until(() => daemon.output.includes('Relay is degraded'), 'a word about both sides');

    expect(daemon.output).toMatch(/cannot reach the radio at tcp 127\.0\.0\.1:65534/);
    expect(daemon.output).toMatch(/the homeserver refuses connections/);
    expect(await daemon.end('SIGTERM')).toBe(0);
  });

  const canBeNobody = process.getuid?.() === 0;

  it.skipIf(!canBeNobody)('the home of another user (needs root): who it is for, not that nothing is there', () => {
    const home = scratch();
    writeFileSync(join(home, 'credentials.json'), '{}');
    for (const command of [['doctor'], ['auth', 'status'], ['db', 'check'], ['migrate', '--dry-run'], ['status']]) {
      const outcome = mmrelay([...command, '--home', home], { as: NOBODY });

      expect(outcome.words).toContain(`${home} belongs to another user: run this as that one`);
      expect(outcome.words).not.toContain('No credentials');
      expect(outcome.code, outcome.words).toBe(3);
    }
  });

  it.skipIf(!canBeNobody)(
    'a home that cannot be written (needs root): exit code 3, which folder and what to set',
    () => {
      const home = scratch();
      const path = configured(GOOD);
      chmodSync(join(path, '..'), 0o755);
      mkdirSync(join(home, 'database'));
      mkdirSync(join(home, 'logs'));
      chmodSync(home, 0o755);
      for (const folder of [home, join(home, 'below')]) {
        const outcome = mmrelay(['run', '--config', path, '--home', folder], { as: NOBODY });

        expect(outcome.words).toContain(folder);
        expect(outcome.words).toContain('MMRELAY_HOME');
        expect(outcome.words).not.toContain('defect');
        expect(outcome.code, outcome.words).toBe(3);
      }
    },
  );
});

const canMount = spawnSync('unshare', ['-rm', 'sh', '-c', 'mount -t tmpfs -o size=64k none /mnt']).status === 0;

describe.skipIf(!canMount)('a full disk (needs unshare and tmpfs)', () => {
  it('nothing is lost: what came meanwhile crosses when there is room again', async () => {
    const home = scratch();
    const radio = await createVirtualRadio({ region: 'US', nodes: [{ num: 1, longName: 'Alice', shortName: 'ALI' }] });
    closing.push(() => radio.close());
    const server = await homeserver();
    server.registerUser('relay', 'right');
    const person = new Person({ ...server.registerUser('carol', 'x'), baseUrl: server.baseUrl });
    const roomId = await person.createRoom('Full');
    const disk = await tinyDisk(home);
    const daemon = new DaemonProcess({
      home,
      wrapper: ['nsenter', '-t', String(disk), '-U', '-m', '--preserve-credentials'],
      config: {
        meshtastic: { connection_type: 'tcp', host: '127.0.0.1', port: radio.port, meshnet_name: 'Full' },
        matrix: { homeserver: server.baseUrl, bot_user_id: '@relay:sandbox.local', password: 'right' },
        matrix_rooms: [{ id: roomId, meshtastic_channel: 0 }],
      },
    });
    closing.push(() => daemon.close());
    daemon.start();
    // Ready may be before the room is joined, and what was said before the join is no news.
    await daemon.until(() => daemon.output.includes('both sides are up'), 'the room');

    const filler = `/proc/${disk}/root${home}/filler`;
    fillUp(filler);
    for (const n of [1, 2, 3]) {
      radio.node(1).sendText(0, `mesh ${n}`);
      await person.say(roomId, `room ${n}`);
    }
    await daemon.until(() => /disk|full/i.test(daemon.output), 'a word about the disk');
    expect(radio.mesh.heard).toEqual([]);
    rmSync(filler);
    // Keys that cannot be saved end the relay, once nothing is in memory alone; a supervisor starts it again.
    const onAir = (): boolean => radio.mesh.heard.length === 3;
    await expect.poll(() => onAir() || daemon.exitCode !== null, { timeout: 30_000 }).toBe(true);
    if (!onAir()) {
      expect(daemon.exitCode).toBe(5);
      daemon.start();
    }

    await daemon.until(onAir, 'three texts on air');
    const texts = radio.mesh.heard.map(({ packet }) => new TextDecoder().decode(packet.payload));
    expect(texts).toEqual(['carol[M]: room 1', 'carol[M]: room 2', 'carol[M]: room 3']);
    const relayed = async (): Promise<string[]> =>
      (await person.messages(roomId)).map(({ body }) => body).filter((body) => body.includes('mesh'));
    await expect.poll(relayed, { timeout: 20_000 }).toHaveLength(3);
    expect(await relayed()).toEqual([1, 2, 3].map((n) => `[Alice/Full]: mesh ${n}`));
    expect(await daemon.end('SIGTERM')).toBe(0);
  }, 90_000);
});

/** Mounts a tiny file system on the folder, in a mount namespace that a process keeps alive. @returns its pid */
async function tinyDisk(folder: string): Promise<number> {
  const script = 'mount -t tmpfs -o size=4m none "$0" && echo mounted && exec cat';
  const holder = spawn('unshare', ['-rm', 'sh', '-c', script, folder], { stdio: ['pipe', 'pipe', 'inherit'] });
  closing.push(() => holder.kill('SIGKILL'));
  await once(holder.stdout, 'data');
  return holder.pid ?? 0;
}

function fillUp(path: string): void {
  const handle = openSync(path, 'w');
  try {
    for (let size = 65_536; size >= 1; ) {
      try {
        writeSync(handle, new Uint8Array(size));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
        size = Math.floor(size / 2);
      }
    }
  } finally {
    closeSync(handle);
  }
}

async function homeserver(): Promise<Homeserver> {
  const server = await createHomeserver();
  closing.push(() => server.close());
  return server;
}
