import { type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ensurePythonEnv } from './python-env.ts';

const run = promisify(execFile);
const SCRIPT = fileURLToPath(new URL('meshtastic_client.py', import.meta.url));
const CLI_TIMEOUT_MS = 60_000;
const REPORT_TIMEOUT_MS = 60_000;

/** One line of meshtastic_client.py. */
export interface ClientReport {
  readonly kind: 'ready' | 'view' | 'packet' | 'ack' | 'sent' | 'heartbeat' | 'closed';
  readonly [field: string]: unknown;
}

export interface ClientCommand {
  readonly command: 'text' | 'view' | 'heartbeat' | 'close';
  readonly text?: string;
  /** `!a1b2c3d4`; everybody when absent. */
  readonly to?: string;
  readonly channel?: number;
  readonly wantAck?: boolean;
  readonly replyId?: number;
}

/** The official Python client in a process of its own, connected to a radio over TCP. */
export class MeshtasticClient {
  readonly reports: ClientReport[] = [];
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #waiting = new Set<() => void>();
  #stderr = '';

  private constructor(process: ChildProcessWithoutNullStreams) {
    this.#process = process;
    createInterface({ input: process.stdout }).on('line', (line) => {
      this.reports.push(JSON.parse(line) as ClientReport);
      this.#wake();
    });
    process.stderr.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString()).slice(-4000);
    });
    process.on('exit', () => this.#wake());
  }

  /** Connects and reads the whole configuration. */
  static async connect(host: string, port: number): Promise<MeshtasticClient> {
    const python = await ensurePythonEnv('meshtastic');
    const client = new MeshtasticClient(spawn(python, ['-u', SCRIPT, host, String(port)]));
    await client.wait((report) => report.kind === 'ready');
    return client;
  }

  send(command: ClientCommand): void {
    this.#process.stdin.write(`${JSON.stringify(command)}\n`);
  }

  /** The first report, past or coming, that fits. @throws Error when the client ends or nothing fits in a minute */
  async wait(fits: (report: ClientReport) => boolean): Promise<ClientReport> {
    const timeout = AbortSignal.timeout(REPORT_TIMEOUT_MS);
    for (;;) {
      const found = this.reports.find(fits);
      if (found !== undefined) return found;
      if (this.#process.exitCode !== null || timeout.aborted) {
        throw new Error(`the Meshtastic client did not report what was awaited: ${this.#stderr}`);
      }
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve);
        timeout.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }

  /** Ends it; the exit code of the process. */
  async close(): Promise<number | null> {
    if (this.#process.exitCode !== null) return this.#process.exitCode;
    this.send({ command: 'close' });
    await once(this.#process, 'exit');
    return this.#process.exitCode;
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

/** Runs the `meshtastic` command line against a radio and gives its output. */
export async function meshtasticCli(host: string, port: number, args: readonly string[]): Promise<string> {
  const python = await ensurePythonEnv('meshtastic');
  const target = ['-m', 'meshtastic', '--host', `${host}:${port}`];
  const { stdout } = await run(python, [...target, ...args], { timeout: CLI_TIMEOUT_MS });
  return stdout;
}
