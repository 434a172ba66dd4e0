import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LogLevel } from '../../../src/config/types.ts';

export interface ChildOptions {
  readonly home: string;
  readonly configText: string;
  readonly factor: number;
  readonly originMs: number;
  readonly logLevel: LogLevel;
}

const ENTRY = fileURLToPath(new URL('relay-child.ts', import.meta.url));
const LOG_TAIL_CHARS = 6_000;

/** The relay in a process of its own, one life after the other in the same home. Holds at most one process. */
export class RelayProcess {
  readonly #options: ChildOptions;
  readonly logPath: string;
  #child: ChildProcess | null = null;
  #ready: Promise<void> = Promise.resolve();
  #unasked: string | null = null;

  constructor(options: ChildOptions) {
    this.#options = options;
    this.logPath = join(options.home, 'chaos.log');
  }

  /** Begins a life; does not wait for it to be up. */
  start(): void {
    const log = openSync(this.logPath, 'a');
    const child = spawn(process.execPath, [ENTRY, JSON.stringify(this.#options)], {
      stdio: ['ignore', 'pipe', log],
      // Most of a start is compiling; two hundred of them should not be.
      env: { ...process.env, NODE_COMPILE_CACHE: join(this.#options.home, 'compile-cache') },
    });
    closeSync(log);
    this.#child = child;
    this.#ready = new Promise((resolve) => child.stdout?.once('data', () => resolve()));
    child.once('exit', (code, signal) => {
      if (this.#child === child) this.#unasked = `the relay ended by itself (${code ?? signal})`;
    });
  }

  /** Both sides are up. */
  ready(): Promise<void> {
    return this.#ready;
  }

  /** Why the relay is not running although nobody ended it; null when all is well. */
  unasked(): string | null {
    return this.#unasked;
  }

  /** SIGKILL; resolves when the process is gone. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** SIGTERM; the exit code. */
  stop(): Promise<number | null> {
    return this.#end('SIGTERM');
  }

  logTail(): string {
    return readFileSync(this.logPath, 'utf8').slice(-LOG_TAIL_CHARS);
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
    return child.exitCode;
  }
}
