import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ensurePythonEnv } from './python-env.ts';

const START_TIMEOUT_MS = 120_000;

/** The Python mmrelay 1.4 of PyPI, as its users run it: the relay we replace, and the one we have to live with. */
export class PythonRelay {
  output = '';
  readonly home = mkdtempSync(join(tmpdir(), 'mmrelay14-'));
  #child: ChildProcess | null = null;

  /** @param config as the user's config.yaml; JSON is YAML */
  async start(config: object): Promise<void> {
    const python = await ensurePythonEnv('mmrelay');
    this.output = '';
    writeFileSync(join(this.home, 'config.yaml'), JSON.stringify(config));
    const child = spawn(join(dirname(python), 'mmrelay'), ['--home', this.home], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, PYTHONUNBUFFERED: '1', COLUMNS: '200' },
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        this.output += chunk.toString();
      });
    const deadline = performance.now() + START_TIMEOUT_MS;
    while (!this.output.includes('Relay startup complete')) {
      if (child.exitCode !== null || performance.now() > deadline)
        throw new Error(`mmrelay 1.4 did not start:\n${this.output}`);
      await delay(100);
    }
  }

  /** Ends it as a user would, so that its home is as it leaves one. */
  async end(): Promise<void> {
    const child = this.#child;
    if (child === null || child.exitCode !== null) return;
    const closed = once(child, 'close');
    child.kill('SIGTERM');
    await closed;
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child !== null && child.exitCode === null) {
      const closed = once(child, 'close');
      child.kill('SIGKILL');
      await closed;
    }
    rmSync(this.home, { recursive: true, force: true });
  }
}
