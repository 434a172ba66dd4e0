import { type ChildProcess, spawn } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../support/free-port.ts';
import { ensurePythonEnv } from './python-env.ts';

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 15_000;
export const SYNAPSE_SERVER_NAME = 'synapse.test';

export interface SynapseOptions {
  /** `stock`: Synapse's defaults (rc_message 0.2/s burst 10, rc_login ...). `off`: no limit that a test could meet. */
  readonly rateLimits: 'stock' | 'off';
  /** More of homeserver.yaml. */
  readonly config?: object;
}

export interface SynapseUser {
  readonly userId: string;
  readonly accessToken: string;
  readonly deviceId: string;
}

/** A Synapse of our own on loopback with SQLite in a temporary folder. */
export interface Synapse {
  readonly baseUrl: string;
  readonly serverName: string;
  readonly dataDir: string;
  /** Registers by the shared secret, which no rate limit touches; the answer is a first session of that user. */
  registerUser(name: string, password: string): Promise<SynapseUser>;
  /** Ends it (SIGTERM) and keeps data and port for restart(). */
  halt(): Promise<void>;
  /** SIGKILL; keeps data and port for restart(). */
  kill(): Promise<void>;
  /** Starts it again on the same data and port; halts it first when it runs. */
  restart(): Promise<void>;
  /** Ends it and deletes its data. */
  stop(): Promise<void>;
  /** The end of its log, for a failure message. */
  logTail(): string;
}

/** Starts Synapse from the Python environment of the e2e suite and waits until it answers. */
export async function startSynapse(options: SynapseOptions): Promise<Synapse> {
  const python = await ensurePythonEnv('synapse');
  const dataDir = mkdtempSync(join(tmpdir(), 'mmrelay-synapse-'));
  const port = await freePort();
  const secret = randomBytes(16).toString('hex');
  writeFileSync(join(dataDir, 'homeserver.yaml'), JSON.stringify(homeserverConfig({ dataDir, port, secret, options })));
  writeFileSync(join(dataDir, 'log.yaml'), JSON.stringify(logConfig(dataDir)));
  const keyId = `a_${randomBytes(2).toString('hex')}`;
  const seed = randomBytes(32).toString('base64').replace(/=+$/, '');
  writeFileSync(join(dataDir, 'signing.key'), `ed25519 ${keyId} ${seed}\n`);
  const runner = new Runner({ python, dataDir, port });
  await runner.start();
  return {
    baseUrl: runner.baseUrl,
    serverName: SYNAPSE_SERVER_NAME,
    dataDir,
    registerUser: (name, password) => register(runner.baseUrl, secret, { name, password }),
    halt: () => runner.end('SIGTERM'),
    kill: () => runner.end('SIGKILL'),
    restart: async () => {
      await runner.end('SIGTERM');
      await runner.start();
    },
    stop: async () => {
      await runner.end('SIGTERM');
      rmSync(dataDir, { recursive: true, force: true });
    },
    logTail: () => runner.logTail(),
  };
}

interface RunnerOptions {
  readonly python: string;
  readonly dataDir: string;
  readonly port: number;
}

/** Holds at most one Synapse process; it dies with this one. */
class Runner {
  readonly baseUrl: string;
  readonly #options: RunnerOptions;
  #child: ChildProcess | null = null;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.baseUrl = `http://127.0.0.1:${options.port}`;
  }

  async start(): Promise<void> {
    const { python, dataDir } = this.#options;
    const output = openSync(join(dataDir, 'output.log'), 'a');
    const child = spawn(python, ['-m', 'synapse.app.homeserver', '-c', join(dataDir, 'homeserver.yaml')], {
      cwd: dataDir,
      stdio: ['ignore', output, output],
    });
    this.#child = child;
    process.once('exit', () => child.kill('SIGKILL'));
    const deadline = performance.now() + START_TIMEOUT_MS;
    while (!(await answers(this.baseUrl))) {
      if (child.exitCode !== null || child.signalCode !== null || performance.now() > deadline) {
        child.kill('SIGKILL');
        throw new Error(`Synapse did not start:\n${this.logTail()}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await exited;
    clearTimeout(timer);
  }

  logTail(): string {
    return ['output.log', 'homeserver.log'].map((name) => tail(join(this.#options.dataDir, name))).join('\n');
  }
}

function tail(path: string): string {
  try {
    return readFileSync(path, 'utf8').slice(-4000);
  } catch {
    return `${path}: nothing written yet`;
  }
}

async function answers(baseUrl: string): Promise<boolean> {
  try {
    const response = await fetch(`${baseUrl}/_matrix/client/versions`);
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false; // not listening yet
  }
}

/** Synapse's shared-secret registration: HMAC-SHA1 over nonce, name, password and role, joined by NUL. */
async function register(
  baseUrl: string,
  secret: string,
  user: { readonly name: string; readonly password: string },
): Promise<SynapseUser> {
  const url = `${baseUrl}/_synapse/admin/v1/register`;
  const { nonce } = (await (await fetch(url)).json()) as { nonce: string };
  const mac = createHmac('sha1', secret).update([nonce, user.name, user.password, 'notadmin'].join('\0')).digest('hex');
  const body = JSON.stringify({ nonce, username: user.name, password: user.password, admin: false, mac });
  const response = await fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
  const answer = (await response.json()) as { user_id: string; access_token: string; device_id: string };
  if (!response.ok) throw new Error(`registering ${user.name}: ${JSON.stringify(answer)}`);
  return { userId: answer.user_id, accessToken: answer.access_token, deviceId: answer.device_id };
}

interface ConfigInput {
  readonly dataDir: string;
  readonly port: number;
  readonly secret: string;
  readonly options: SynapseOptions;
}

function homeserverConfig({ dataDir, port, secret, options }: ConfigInput): object {
  return {
    server_name: SYNAPSE_SERVER_NAME,
    public_baseurl: `http://127.0.0.1:${port}/`,
    pid_file: join(dataDir, 'homeserver.pid'),
    listeners: [
      {
        port,
        bind_addresses: ['127.0.0.1'],
        type: 'http',
        tls: false,
        resources: [{ names: ['client'], compress: false }],
      },
    ],
    database: { name: 'sqlite3', args: { database: join(dataDir, 'homeserver.db') } },
    log_config: join(dataDir, 'log.yaml'),
    media_store_path: join(dataDir, 'media'),
    signing_key_path: join(dataDir, 'signing.key'),
    registration_shared_secret: secret,
    enable_registration: true,
    enable_registration_without_verification: true,
    macaroon_secret_key: secret,
    form_secret: secret,
    trusted_key_servers: [],
    suppress_key_server_warning: true,
    federation_domain_whitelist: [],
    report_stats: false,
    presence: { enabled: false },
    password_config: { bcrypt_rounds: 4 },
    ...(options.rateLimits === 'off' ? noRateLimits() : {}),
    ...options.config,
  };
}

function noRateLimits(): object {
  const open = { per_second: 100_000, burst_count: 100_000 };
  return {
    rc_message: open,
    rc_registration: open,
    rc_registration_token_validity: open,
    rc_login: { address: open, account: open, failed_attempts: open },
    rc_admin_redaction: open,
    rc_joins: { local: open, remote: open },
    rc_joins_per_room: open,
    rc_3pid_validation: open,
    rc_invites: { per_room: open, per_user: open, per_issuer: open },
    rc_media_create: open,
    rc_room_creation: open,
    rc_presence: { per_user: open },
    rc_delayed_event_mgmt: open,
    rc_reports: open,
    rc_key_requests: open,
    rc_user_directory: open,
  };
}

function logConfig(dataDir: string): object {
  return {
    version: 1,
    formatters: { plain: { format: '%(asctime)s %(levelname)s %(name)s %(message)s' } },
    handlers: {
      file: { class: 'logging.FileHandler', filename: join(dataDir, 'homeserver.log'), formatter: 'plain' },
    },
    root: { level: 'WARNING', handlers: ['file'] },
    disable_existing_loggers: false,
  };
}
