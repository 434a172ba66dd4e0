import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cliBox } from './run-cli.ts';

const hasBash = spawnSync('bash', ['--version']).status === 0;

test.skipIf(!hasBash)(
  'bash completes commands, options and their values, wherever options with values stand',
  async () => {
    const { run, root } = cliBox();
    const script = join(root, 'completion.bash');
    writeFileSync(script, (await run('completion', 'bash')).out);
    writeFileSync(join(root, 'backup.tar.gz'), '');
    const complete = (line: string): string[] => {
      const words = `mmrelay ${line}`.split(' ');
      const code = `source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _mmrelay; echo "\${COMPREPLY[*]}"`;
      return spawnSync('bash', ['-c', code, script, ...words], { cwd: root, encoding: 'utf8' })
        .stdout.trim()
        .split(' ');
    };
    expect(complete('do')).toEqual(['doctor']);
    expect(complete('--home /x config ')).toEqual(expect.arrayContaining(['check', 'generate', 'schema']));
    expect(complete('--log-level info db check --j')).toEqual(['--json']);
    expect(complete('--log-level d')).toEqual(['debug']);
    expect(complete('completion f')).toEqual(['fish']);
    expect(complete('restore b')).toEqual(['backup.tar.gz']);
    expect(complete('doctor --config ')).toEqual(expect.arrayContaining(['backup.tar.gz']));
  },
);

test('fish offers the same word for each of its commands apart', async () => {
  const { run } = cliBox();
  const { out } = await run('completion', 'fish');
  expect(out).toContain("-n '__fish_seen_subcommand_from db; and __fish_seen_subcommand_from check' -l json");
  expect(out).toMatch(/__fish_seen_subcommand_from config; and not __fish_seen_subcommand_from check .*' -f -a check/);
  expect(out).toContain("-l log-level -r -f -a 'error warning info debug'");
});
