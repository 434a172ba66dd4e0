import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';

const SCRIPT = `require('node:fs').openSync(process.argv[1], 'r'); console.log('open'); setInterval(() => {}, 1000)`;

export interface FileHolder {
  readonly pid: number;
  end(): Promise<void>;
}

/** A process that looks to others as the Python relay does: by its command line, and the database it has open. */
export function oldRelayOn(database: string): Promise<FileHolder> {
  return holderOf(database, { argv0: '/opt/venv/bin/python3', argument: '/opt/venv/bin/mmrelay' });
}

/** A process of any other program that has this file open. */
export async function holderOf(
  path: string,
  { argv0 = 'sqlite3', argument = '' }: { readonly argv0?: string; readonly argument?: string } = {},
): Promise<FileHolder> {
  const child = spawn(process.execPath, ['-e', SCRIPT, path, argument], {
    argv0,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const end = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };
  onTestFinished(end);
  await once(child.stdout, 'data');
  return { pid: child.pid ?? 0, end };
}
