import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

const SOURCE = `require('node:fs').openSync(process.argv[2], 'r'); console.log('open'); setInterval(() => {}, 1000)`;

export interface FileHolder {
  readonly pid: number;
  end(): Promise<void>;
}

/** A process that looks to others as the Python relay does: by its command line, and the database it has open. */
export function oldRelayOn(database: string): Promise<FileHolder> {
  return holderOf(database, { program: '/opt/venv/bin/python3', script: 'mmrelay' });
}

/** A process of any other program that has this file open; `script` is the file it runs. */
export async function holderOf(
  path: string,
  { program = 'sqlite3', script = 'shell' }: { readonly program?: string; readonly script?: string } = {},
): Promise<FileHolder> {
  const folder = mkdtempSync(join(tmpdir(), 'mmrelay-holder-'));
  writeFileSync(join(folder, script), SOURCE);
  const child = spawn(process.execPath, [join(folder, script), path], {
    argv0: program,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const end = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
    rmSync(folder, { recursive: true, force: true });
  };
  onTestFinished(end);
  await once(child.stdout, 'data');
  return { pid: child.pid ?? 0, end };
}
