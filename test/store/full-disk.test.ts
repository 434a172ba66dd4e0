import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { scratch } from './fixtures.ts';

/** Runs a shell line where it may mount file systems that nobody else sees. */
function inOwnMounts(line: string): ReturnType<typeof spawnSync> {
  return spawnSync('unshare', ['-rm', 'sh', '-c', line], { encoding: 'utf8' });
}

const canMount = inOwnMounts('mount -t tmpfs -o size=64k none /mnt').status === 0;

test.skipIf(!canMount)('a disk that is really full (needs unshare and tmpfs)', () => {
  const folder = scratch();
  const child = join(import.meta.dirname, 'full-disk-process.ts');
  const run = inOwnMounts(
    `mount -t tmpfs -o size=3m none '${folder}' && exec '${process.execPath}' '${child}' '${folder}'`,
  );
  expect(run.stderr).toBe('');
  expect(JSON.parse(String(run.stdout))).toEqual({
    full: 'STORE_FULL later',
    swallowed: 'STORE_FULL later',
    leftBehind: [false, null, null],
    again: 'ok',
    rows: 5,
    sound: true,
    opening: 'STORE_FULL later',
  });
});
