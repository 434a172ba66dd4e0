import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually.ts';

/** Why there is no socat here; null when there is. */
export function socatMissing(): string | null {
  try {
    execFileSync('socat', ['-V'], { stdio: 'ignore' });
    return null;
  } catch {
    return 'socat is not installed';
  }
}

/** A serial cable made by socat: a pseudo-terminal at `path`, the other end a TCP connection to a radio. */
export class SerialCable {
  readonly path: string;
  readonly #folder: string;
  readonly #target: string;
  #process: ChildProcess | null = null;

  constructor(target: { readonly host: string; readonly port: number }) {
    this.#folder = mkdtempSync(join(tmpdir(), 'mmrelay-pty-'));
    this.path = join(this.#folder, 'ttyUSB0');
    this.#target = `TCP:${target.host}:${target.port}`;
  }

  /** Plugs the cable in. The radio's end opens with it, as a radio on USB that gets its power. */
  async plug(): Promise<void> {
    this.#process = spawn('socat', [`PTY,link=${this.path},raw,echo=0`, this.#target], { stdio: 'ignore' });
    await eventually('the pseudo-terminal', () => (existsSync(this.path) ? true : null));
  }

  /** Pulls it out in mid-byte. */
  async unplug(): Promise<void> {
    const process = this.#process;
    this.#process = null;
    if (process !== null && process.exitCode === null && process.signalCode === null) {
      process.kill('SIGKILL');
      await once(process, 'exit');
    }
    rmSync(this.path, { force: true });
  }

  async close(): Promise<void> {
    await this.unplug();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** How many files of this process are open on the terminal. */
export function openOn(path: string): number {
  const target = existsSync(path) ? realpathSync(path) : path;
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(join('/proc/self/fd', fd)) === target;
    } catch {
      return false; // The descriptor of this very listing.
    }
  }).length;
}
