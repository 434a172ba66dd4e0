import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from './eventually.ts';

const SCRIPT = fileURLToPath(new URL('./notify_socket.py', import.meta.url));

/** Why systemd-notify cannot be tried here; null when it can. */
export function notifyMissing(): string | null {
  try {
    execFileSync('systemd-notify', ['--version'], { stdio: 'ignore' });
    execFileSync('python3', ['--version'], { stdio: 'ignore' });
    return null;
  } catch {
    return 'systemd-notify and python3 are needed (Debian: systemd, python3)';
  }
}

/** What a service manager hears of its service. */
export class NotifySocket {
  readonly path: string;
  readonly #folder: string;
  readonly #process: ChildProcess;
  #text = '';

  private constructor(folder: string) {
    this.#folder = folder;
    this.path = join(folder, 'notify');
    this.#process = spawn('python3', [SCRIPT, this.path], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#process.stdout?.on('data', (chunk) => {
      this.#text += String(chunk);
    });
  }

  static async open(): Promise<NotifySocket> {
    const socket = new NotifySocket(mkdtempSync(join(tmpdir(), 'mmrelay-notify-')));
    await eventually('the notify socket', () => (socket.#text.startsWith('listening') ? true : null));
    return socket;
  }

  /** Messages so far, in order, without the barriers of systemd-notify. */
  messages(): readonly string[] {
    return this.#text
      .split('\n')
      .slice(1, -1)
      .filter((message) => message !== 'BARRIER=1');
  }

  /** How often the watchdog was fed. */
  feeds(): number {
    return this.messages().filter((message) => message.includes('WATCHDOG=1')).length;
  }

  async close(): Promise<void> {
    this.#process.kill('SIGKILL');
    await once(this.#process, 'exit');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
