import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { JsonObject } from '../../../src/util/json.ts';
import { ensurePythonEnv } from './python-env.ts';
import type { SynapseUser } from './synapse.ts';

const SCRIPT = fileURLToPath(new URL('./nio_client.py', import.meta.url));

export interface NioLine {
  readonly kind: 'ready' | 'joined' | 'sent' | 'got' | 'image' | 'undecryptable';
  readonly id?: string;
  readonly body?: string;
  readonly sender?: string;
  readonly encrypted?: boolean;
}

/** A matrix-nio user in a process of its own. */
export class NioUser {
  readonly lines: NioLine[] = [];
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #waiting = new Set<() => void>();

  private constructor(child: ChildProcess, folder: string) {
    this.#child = child;
    this.#folder = folder;
    if (child.stdout === null) throw new Error('no stdout');
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.lines.push(JSON.parse(line) as NioLine);
      for (const look of this.#waiting) look();
    });
  }

  static async start(baseUrl: string, user: SynapseUser): Promise<NioUser> {
    const python = await ensurePythonEnv('nio');
    const folder = mkdtempSync(join(tmpdir(), 'mmrelay-nio-'));
    const options = JSON.stringify({ baseUrl, ...user, storePath: folder });
    const child = spawn(python, [SCRIPT, options], { stdio: ['pipe', 'pipe', 'inherit'] });
    const nio = new NioUser(child, folder);
    await nio.until((line) => line.kind === 'ready');
    return nio;
  }

  /** The first line, seen before or to come, that fits. */
  until(fits: (line: NioLine) => boolean): Promise<NioLine> {
    return new Promise((resolve) => {
      const look = (): void => {
        const found = this.lines.find(fits);
        if (found === undefined) return;
        this.#waiting.delete(look);
        resolve(found);
      };
      this.#waiting.add(look);
      look();
    });
  }

  hears(body: string): Promise<NioLine> {
    return this.until((line) => line.body === body);
  }

  tell(command: JsonObject): void {
    this.#child.stdin?.write(`${JSON.stringify(command)}\n`);
  }

  async stop(): Promise<void> {
    const closed = once(this.#child, 'close');
    this.#child.kill('SIGKILL');
    await closed;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
