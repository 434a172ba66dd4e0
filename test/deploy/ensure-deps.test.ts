import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';

const SCRIPT = join(import.meta.dirname, '../../.ci/ensure-deps.mjs');

/** A clone with an npm that only notes what it is told, and ends with `code`. */
function clone(code: number): {
  readonly run: () => number | null;
  readonly told: () => string[];
  readonly root: string;
} {
  const root = mkdtempSync(join(tmpdir(), 'mmrelay-deps-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  for (const folder of ['.ci', 'bin']) mkdirSync(join(root, folder));
  copyFileSync(SCRIPT, join(root, '.ci', 'ensure-deps.mjs'));
  writeFileSync(join(root, 'package-lock.json'), '{}');
  const npm = join(root, 'bin', 'npm');
  writeFileSync(npm, `#!/bin/sh\necho "$@" >> '${join(root, 'told')}'\nexit ${code}\n`);
  chmodSync(npm, 0o755);
  const env = { ...process.env, PATH: `${join(root, 'bin')}:${process.env.PATH}` };
  return {
    root,
    run: () => spawnSync(process.execPath, [join(root, '.ci', 'ensure-deps.mjs')], { env }).status,
    told: () => (existsSync(join(root, 'told')) ? readFileSync(join(root, 'told'), 'utf8').trim().split('\n') : []),
  };
}

describe.skipIf(process.platform === 'win32')('the dependencies of a fresh clone', () => {
  test('no install script runs but that of node: an npm without allowScripts would want a compiler for noble', () => {
    const { run, told } = clone(0);
    expect(run()).toBe(0);
    expect(told()).toEqual([
      expect.stringMatching(/^ci --ignore-scripts /),
      expect.stringMatching(/^rebuild node --ignore-scripts=false /),
    ]);
  });

  test('a failure ends the command', () => {
    const { run, told } = clone(7);
    expect(run()).toBe(7);
    expect(told()).toHaveLength(1);
  });

  test('what is there is left alone', () => {
    const { root, run, told } = clone(0);
    mkdirSync(join(root, 'node_modules', '.bin'), { recursive: true });
    for (const file of ['.package-lock.json', '.bin/node']) writeFileSync(join(root, 'node_modules', file), '');
    expect(run()).toBe(0);
    expect(told()).toEqual([]);
  });
});
