import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { expect } from 'vitest';
import { at } from '../../deploy/support/tree.ts';

/** Where .ci/install-deploy-tools.sh puts what the machine has not. */
const path = `${at('.cache/bin')}${delimiter}${process.env.PATH ?? ''}`;

export const hasTool = (tool: string): boolean =>
  path.split(delimiter).some((folder) => existsSync(join(folder, tool)));

export interface Result {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function runTool(command: readonly string[], input = ''): Result {
  const [program = '', ...args] = command;
  const env = { ...process.env, PATH: path };
  return spawnSync(program, args, { input, env, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
}

/** What a command that has to succeed says. */
export function okTool(command: readonly string[], input = ''): string {
  const result = runTool(command, input);
  expect(result.status, `${command.join(' ')}\n${result.stderr}${result.stdout}`).toBe(0);
  return result.stdout;
}
