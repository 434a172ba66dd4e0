import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The guide's user. */
const UID = 1000;

/** What a command in the container did. */
export interface Done {
  readonly code: number | null;
  readonly output: string;
}

/**
 * A container from an unpacked image, run by runc as the pod of deploy/k8s would be: read-only root, uid 1000, no
 * capabilities, `/data` from a volume, `/tmp` and `/run/mmrelay` in memory, `config.yaml` at /app. The network is the
 * host's. One per image test; one daemon in it at a time.
 */
export class Container {
  readonly data: string;
  /** What the daemon wrote, of all lives. */
  log = '';
  readonly #root: string;
  readonly #env: readonly string[];
  readonly #folder = mkdtempSync(join(tmpdir(), 'mmrelay-container-'));
  readonly #name = `mmrelay-${process.pid}`;
  #ended: Promise<number | null> = Promise.resolve(null);

  /** @param env the image's, `NAME=value` each */
  constructor(root: string, env: readonly string[]) {
    this.#root = root;
    this.#env = env;
    this.data = join(this.#folder, 'data');
    mkdirSync(this.data, { mode: 0o750 });
    this.own(this.data);
    this.configure({});
  }

  /** Gives a file to the container's user. */
  own(path: string): void {
    chownSync(path, UID, UID);
  }

  /** Writes /app/config.yaml; JSON is YAML. */
  configure(config: object): void {
    writeFileSync(join(this.#folder, 'config.yaml'), JSON.stringify(config));
  }

  /** Runs the image's entry point to its end, in a container of its own. */
  once(...args: readonly string[]): Done {
    this.#describe(args);
    return done(this.#runc('run', '--bundle', this.#folder, `${this.#name}-once`));
  }

  /** Starts the daemon; does not wait for it to be up. */
  start(...args: readonly string[]): void {
    this.#describe(args);
    const child = spawn('runc', this.#command('run', '--bundle', this.#folder, this.#name), {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        this.log += chunk.toString();
      });
    this.#ended = once(child, 'close').then(() => child.exitCode);
  }

  /** What `kubectl exec` does. */
  exec(...command: readonly string[]): Done {
    return done(this.#runc('exec', '--env', 'HOME=/data', this.#name, ...command));
  }

  /** Sends a signal to PID 1. */
  kill(signal: string): void {
    this.#runc('kill', this.#name, signal);
  }

  /** The daemon's exit code, when it has ended. */
  ended(): Promise<number | null> {
    return this.#ended;
  }

  async close(): Promise<void> {
    this.#runc('delete', '--force', this.#name);
    await this.#ended;
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #command(...args: readonly string[]): readonly string[] {
    return ['--root', join(this.#folder, 'runc'), ...args];
  }

  #runc(...args: readonly string[]): SpawnSyncReturns<string> {
    return spawnSync('runc', this.#command(...args), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  }

  #describe(args: readonly string[]): void {
    const tmpfs = (destination: string, mode: string) => {
      const options = ['nosuid', 'nodev', `mode=${mode}`, `uid=${UID}`, `gid=${UID}`];
      return { destination, type: 'tmpfs', source: 'tmpfs', options };
    };
    const bind = (destination: string, source: string, access: 'ro' | 'rw') => {
      return { destination, type: 'bind', source: join(this.#folder, source), options: ['bind', access] };
    };
    const bundle = {
      ociVersion: '1.0.2',
      process: {
        user: { uid: UID, gid: UID },
        cwd: '/app',
        env: [...this.#env, 'TZ=UTC'],
        args: ['/usr/bin/tini', '--', 'mmrelay', ...args],
        noNewPrivileges: true,
        capabilities: { bounding: [], effective: [], permitted: [] },
      },
      root: { path: this.#root, readonly: true },
      hostname: 'mmrelay',
      mounts: [
        { destination: '/proc', type: 'proc', source: 'proc' },
        { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755'] },
        tmpfs('/tmp', '1777'),
        tmpfs('/run/mmrelay', '0755'),
        bind('/data', 'data', 'rw'),
        tmpfs('/app', '0755'),
        bind('/app/config.yaml', 'config.yaml', 'ro'),
      ],
      linux: {
        namespaces: ['pid', 'ipc', 'uts', 'mount'].map((type) => ({ type })),
        maskedPaths: ['/proc/kcore'],
        readonlyPaths: ['/proc/sys'],
      },
    };
    writeFileSync(join(this.#folder, 'config.json'), JSON.stringify(bundle));
  }
}

function done({ status, stdout, stderr, error }: SpawnSyncReturns<string>): Done {
  if (error !== undefined) throw error;
  return { code: status, output: stdout + stderr };
}
