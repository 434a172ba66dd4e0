import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cliBox } from '../run-cli.ts';

type Shell = 'bash' | 'zsh' | 'fish';
/** What TAB offers after `mmrelay ` and a line. */
type Complete = (line: string) => readonly string[];

const required = process.env.MMRELAY_E2E_REQUIRED === '1';
const isHere = (shell: Shell): boolean => required || spawnSync(shell, ['--version']).status === 0;

const CAPTURE = join(import.meta.dirname, 'capture.zsh');
const BASH = `source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _mmrelay; printf '%s\\n' "\${COMPREPLY[@]}"`;

const COMMANDS: Readonly<Record<Shell, (folder: string, line: string) => readonly string[]>> = {
  bash: (folder, line) => ['-c', BASH, join(folder, '_mmrelay'), ...line.split(' ')],
  zsh: (folder, line) => ['-f', CAPTURE, folder, line],
  fish: (folder, line) => ['--no-config', '-c', `source ${join(folder, '_mmrelay')}; complete -C '${line}'`],
};

async function completer(shell: Shell): Promise<Complete> {
  const { run, root } = cliBox();
  const folder = join(root, 'completions');
  mkdirSync(folder);
  writeFileSync(join(folder, '_mmrelay'), (await run('completion', shell)).out);
  writeFileSync(join(root, 'backup.tar.gz'), '');
  return (line) => {
    const { stdout, stderr } = spawnSync(shell, COMMANDS[shell](folder, `mmrelay ${line}`), {
      cwd: root,
      encoding: 'utf8',
      timeout: 30_000,
    });
    expect(stderr).toBe('');
    // fish adds what a word means after a tab, zsh takes files with a blank.
    return stdout
      .split('\n')
      .map((word) => word.split('\t')[0]?.trim() ?? '')
      .filter(Boolean);
  };
}

test.for(['bash', 'zsh', 'fish'] as const)(
  '%s completes commands, options and values as one types',
  { timeout: 60_000 },
  async (shell, { skip }) => {
    if (!isHere(shell)) skip(`${shell} is not installed`);
    const complete = await completer(shell);
    expect(complete('do')).toEqual(['doctor']);
    expect([...complete('plugins ')].filter((word) => !word.startsWith('-')).sort()).toEqual([
      'install',
      'list',
      'new',
      'remove',
      'test',
      'update',
    ]);
    expect(complete('--home /x config ')).toEqual(expect.arrayContaining(['check', 'generate', 'schema']));
    expect(complete('--log-level info db check --j')).toEqual(['--json']);
    expect(complete('--log-level d')).toEqual(['debug']);
    expect(complete('completion f')).toEqual(['fish']);
    expect(complete('restore b')).toEqual(['backup.tar.gz']);
    expect(complete('doctor --config b')).toEqual(['backup.tar.gz']);
  },
);
