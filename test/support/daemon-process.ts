import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export interface DaemonProcessOptions {
  /** Written to config.yaml; JSON is YAML. */
  readonly config: object;
  /** Default: `node src/main.ts`. */
  readonly entry?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Default: a temporary one, removed by `close`. */
  readonly home?: string;
  /** Run as somebody else: words put before the command. */
  readonly wrapper?: readonly string[];
}

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const START_TIMEOUT_MS = 30_000;
const POLL_MS = 10;
const MAX_OUTPUT_CHARS = 1_000_000;

/** The real daemon in a process of its own, in a home of its own; one life after the other. */
export class DaemonProcess {
  readonly home: string;
  readonly configPath: string;
  readonly readyFile: string;
  /** The end of what it wrote, of all lives. */
  output = '';
  readonly #options: DaemonProcessOptions;
  readonly #folder: string;
  #child: ChildProcess | null = null;

  constructor(options: DaemonProcessOptions) {
    this.#options = options;
    this.#folder = mkdtempSync(join(tmpdir(), 'mmrelay-daemon-'));
    this.home = options.home ?? join(this.#folder, 'home');
    this.configPath = join(this.#folder, 'config.yaml');
    this.readyFile = join(this.#folder, 'ready');
    if (options.home === undefined) mkdirSync(this.home);
    writeFileSync(this.configPath, JSON.stringify(options.config));
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Of the life that ended; null while it runs. */
  get exitCode(): number | null {
    return this.#child?.exitCode ?? null;
  }

  /** Begins a life; does not wait for it to be up. */
  start(): void {
    const { entry = MAIN, env = {}, wrapper = [] } = this.#options;
    const command = [...wrapper, process.execPath, entry, '--home', this.home, '--config', this.configPath];
    const child = spawn(command[0] ?? '', command.slice(1), {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, MMRELAY_READY_FILE: this.readyFile, ...env },
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        this.output += chunk.toString();
        if (this.output.length > 2 * MAX_OUTPUT_CHARS) this.output = this.output.slice(-MAX_OUTPUT_CHARS);
      });
  }

  /** Runs another command of the program to its end, without blocking this process. */
  async command(
    args: readonly string[],
    input: string,
  ): Promise<{ readonly code: number | null; readonly words: string }> {
    const child = spawn(process.execPath, [this.#options.entry ?? MAIN, ...args]);
    const words: string[] = [];
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => words.push(chunk.toString()));
    child.stdin.end(input);
    await once(child, 'close');
    return { code: child.exitCode, words: words.join('') };
  }

  /** The ready file is there. @throws Error with the output when the daemon ends instead */
  async ready(): Promise<void> {
    await this.until(() => existsSync(this.readyFile), 'the ready file');
  }

  /** @throws Error when the daemon ends, or in 30 s */
  async until(condition: () => boolean, what: string): Promise<void> {
    const deadline = performance.now() + START_TIMEOUT_MS;
    while (!condition()) {
      if (performance.now() > deadline) throw new Error(`${what} did not come:\n${this.output}`);
      if (this.#child !== null && this.#child.exitCode !== null)
        throw new Error(`mmrelay ended (${this.#child.exitCode}) before ${what}:\n${this.output}`);
      await delay(POLL_MS);
    }
  }

  /** Waits until it ends by itself; the exit code. */
  async exited(): Promise<number | null> {
    const child = this.#child;
    if (child === null) return null;
    if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
    return child.exitCode;
  }

  /** Sends the signal and waits for the end; the exit code, null when a signal ended it. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const closed = once(child, 'close');
    child.kill(signal);
    await closed;
    return child.exitCode;
  }

  async close(): Promise<void> {
    await this.end('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
