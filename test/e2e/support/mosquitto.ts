import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../support/free-port.ts';
import { eventually } from './eventually.ts';

/** Why there is no mosquitto here; null when there is. */
export function mosquittoMissing(): string | null {
  try {
    execFileSync('mosquitto', ['-h'], { stdio: 'ignore' });
    return null;
  } catch (error) {
    // The help of some versions ends with 3: it ran, and that is the question.
    return (error as { status?: unknown }).status === 3 ? null : 'mosquitto is not installed (Debian: mosquitto)';
  }
}

/** Debian's MQTT broker on a loopback port, with one user; with `tls`, under a certificate it signed itself. */
export class Mosquitto {
  readonly port: number;
  /** Of `tls`. */
  readonly certificate: string;
  readonly #folder: string;
  #process: ChildProcess | null = null;

  private constructor(port: number, folder: string) {
    this.port = port;
    this.#folder = folder;
    this.certificate = join(folder, 'broker.crt');
  }

  static async create(
    account: { readonly user: string; readonly password: string },
    { tls = false }: { readonly tls?: boolean } = {},
  ): Promise<Mosquitto> {
    const folder = mkdtempSync(join(tmpdir(), 'mmrelay-mosquitto-'));
    const broker = new Mosquitto(await freePort(), folder);
    const passwords = join(folder, 'passwords');
    execFileSync('mosquitto_passwd', ['-b', '-c', passwords, account.user, account.password], { stdio: 'ignore' });
    const key = join(folder, 'broker.key');
    if (tls) makeCertificate(key, broker.certificate);
    const certificate = tls ? `certfile ${broker.certificate}\nkeyfile ${key}\n` : '';
    const root = process.getuid?.() === 0 ? 'user root\n' : '';
    const settings = `listener ${broker.port} 127.0.0.1\nallow_anonymous false\npassword_file ${passwords}\n${certificate}`;
    writeFileSync(join(folder, 'mosquitto.conf'), `${root}${settings}persistence false\n`);
    await broker.start();
    return broker;
  }

  async start(): Promise<void> {
    this.#process = spawn('mosquitto', ['-c', join(this.#folder, 'mosquitto.conf')], { stdio: 'ignore' });
    await eventually('the broker', () => isOpen(this.port));
  }

  /** Ends it without a word to its clients. */
  async kill(): Promise<void> {
    const process = this.#process;
    this.#process = null;
    if (process === null || process.exitCode !== null) return;
    process.kill('SIGKILL');
    await once(process, 'exit');
  }

  async close(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function makeCertificate(key: string, certificate: string): void {
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const kind = ['-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2'];
  execFileSync('openssl', ['req', ...kind, ...names, '-keyout', key, '-out', certificate], { stdio: 'ignore' });
}

function isOpen(port: number): Promise<true | null> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(null));
  });
}
