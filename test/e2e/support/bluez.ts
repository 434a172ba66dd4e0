import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { eventually } from './eventually.ts';
import { ensurePythonEnv } from './python-env.ts';

const SCRIPT = fileURLToPath(new URL('ble_bluez.py', import.meta.url));

/** Why Bluetooth over D-Bus cannot be tried here; null when it can. */
export function bluezMissing(): string | null {
  try {
    createRequire(import.meta.url).resolve('dbus-next');
  } catch {
    return 'the optional package dbus-next is not installed';
  }
  try {
    execFileSync('dbus-daemon', ['--version'], { stdio: 'ignore' });
    return null;
  } catch {
    return 'dbus-daemon is not installed';
  }
}

/** A system bus of our own with a bluetoothd on it that knows one radio (ble_bluez.py). */
export class FakeBluez {
  readonly busAddress: string;
  readonly #folder = mkdtempSync(join(tmpdir(), 'mmrelay-bus-'));
  readonly #args: readonly string[];
  #bus: ChildProcess | null = null;
  #service: ChildProcess | null = null;
  #ready = 0;

  private constructor(options: { readonly port: number; readonly name: string }) {
    this.busAddress = `unix:path=${this.#folder}/bus`;
    this.#args = ['-u', SCRIPT, '127.0.0.1', String(options.port), options.name, 'F0:F1:F2:F3:F4:F5'];
  }

  static async start(options: { readonly port: number; readonly name: string }): Promise<FakeBluez> {
    const bluez = new FakeBluez(options);
    const config = join(bluez.#folder, 'bus.conf');
    writeFileSync(
      config,
      `<busconfig><type>custom</type><listen>${bluez.busAddress}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/><allow user="*"/></policy></busconfig>`,
    );
    bluez.#bus = spawn('dbus-daemon', [`--config-file=${config}`, '--nofork'], { stdio: 'ignore' });
    await eventually('the bus', () => (existsSync(join(bluez.#folder, 'bus')) ? true : null));
    await bluez.restart();
    return bluez;
  }

  /** `drop`: the radio ends the link; `away`: until `near` it cannot be reached, too; `off` and `on`: the adapter's power; `stall`: writes are answered after the next `off`. */
  command(command: 'drop' | 'away' | 'near' | 'off' | 'on' | 'stall'): void {
    this.#service?.stdin?.write(`${command}\n`);
  }

  /** bluetoothd dies without a word. */
  async kill(): Promise<void> {
    await end(this.#service);
    this.#service = null;
  }

  async restart(): Promise<void> {
    await this.kill();
    const before = this.#ready;
    const env = { ...process.env, DBUS_SYSTEM_BUS_ADDRESS: this.busAddress };
    const service = spawn(await ensurePythonEnv('meshtastic'), this.#args, { env, stdio: ['pipe', 'pipe', 'inherit'] });
    createInterface({ input: service.stdout }).on('line', (line) => {
      if (line.includes('"ready"')) this.#ready += 1;
    });
    this.#service = service;
    await eventually('the Bluetooth service', () => (this.#ready > before ? true : null));
  }

  async close(): Promise<void> {
    await this.kill();
    await end(this.#bus);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function end(child: ChildProcess | null): Promise<void> {
  if (child === null || child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}
