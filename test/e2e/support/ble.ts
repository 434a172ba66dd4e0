import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ensurePythonEnv } from './python-env.ts';

const SCRIPT = fileURLToPath(new URL('ble_peripheral.py', import.meta.url));
const REPORT_TIMEOUT_MS = 30_000;

interface PeripheralReport {
  readonly kind: 'ready' | 'connected' | 'mtu' | 'disconnected' | 'unplugged' | 'plugged';
  readonly [field: string]: unknown;
}

/** A Meshtastic radio over virtual Bluetooth (Bumble), before a radio's TCP port. */
export class BlePeripheral {
  readonly reports: PeripheralReport[] = [];
  /** The serial line of the Bluetooth controller for our side. */
  readonly uart: string;
  readonly address: string;
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #folder: string;
  readonly #waiting = new Set<() => void>();
  #stderr = '';

  private constructor(python: string, options: PeripheralOptions) {
    this.#folder = mkdtempSync(join(tmpdir(), 'mmrelay-ble-'));
    this.uart = join(this.#folder, 'hci');
    this.address = options.address ?? 'F0:F1:F2:F3:F4:F5';
    const { host = '127.0.0.1', port, name } = options;
    this.#process = spawn(python, ['-u', SCRIPT, this.uart, host, String(port), name, this.address]);
    createInterface({ input: this.#process.stdout }).on('line', (line) => {
      this.reports.push(JSON.parse(line) as PeripheralReport);
      this.#wake();
    });
    this.#process.stderr.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString()).slice(-4000);
    });
    this.#process.on('exit', () => this.#wake());
  }

  static async start(options: PeripheralOptions): Promise<BlePeripheral> {
    const peripheral = new BlePeripheral(await ensurePythonEnv('bumble'), options);
    await peripheral.wait('ready');
    return peripheral;
  }

  /** The peripheral ends the connection. */
  drop(): void {
    this.#command('drop');
  }

  /** Our controller is pulled out. */
  async unplug(): Promise<void> {
    await this.#ask('unplug', 'unplugged');
  }

  /** And put back, at the same path. */
  async plug(): Promise<void> {
    await this.#ask('plug', 'plugged');
  }

  silence(): void {
    this.#command('silence');
  }

  speak(): void {
    this.#command('speak');
  }

  count(kind: PeripheralReport['kind']): number {
    return this.reports.filter((report) => report.kind === kind).length;
  }

  /** Until `kind` was reported `times` times. @throws Error when the script ends or nothing comes in 30 s */
  async wait(kind: PeripheralReport['kind'], times = 1): Promise<void> {
    const timeout = AbortSignal.timeout(REPORT_TIMEOUT_MS);
    while (this.count(kind) < times) {
      if (this.#process.exitCode !== null || timeout.aborted) {
        throw new Error(`the Bluetooth peripheral did not report ${kind}: ${this.#stderr}`);
      }
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve);
        timeout.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }

  get stderr(): string {
    return this.#stderr;
  }

  async close(): Promise<void> {
    if (this.#process.exitCode === null) {
      this.#process.kill('SIGKILL');
      await once(this.#process, 'exit');
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #ask(command: string, answer: PeripheralReport['kind']): Promise<void> {
    const before = this.count(answer);
    this.#command(command);
    await this.wait(answer, before + 1);
  }

  #command(command: string): void {
    this.#process.stdin.write(`${command}\n`);
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

export interface PeripheralOptions {
  readonly host?: string;
  readonly port: number;
  readonly name: string;
  /** A random static one. */
  readonly address?: string;
}
