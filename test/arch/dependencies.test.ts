import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from './source-tree.ts';

const read = (name: string): string => readFileSync(join(ROOT, name), 'utf8');
const manifest = JSON.parse(read('package.json'));
const lock = JSON.parse(read('package-lock.json'));

describe('dependencies', () => {
  // npm on an old Node quietly picks older majors: matrix-js-sdk 37 instead of 43, for one.
  it.each([
    ['matrix-js-sdk', 43],
    ['better-sqlite3', 13],
    ['serialport', 13],
    ['@stoprocent/noble', 2],
    ['@bufbuild/protobuf', 2],
    ['commander', 15],
    ['pino', 10],
    ['zod', 4],
    ['vitest', 5],
    ['node', 24],
  ])('%s is locked at major %i', (name, major) => {
    expect(Number(lock.packages[`node_modules/${name}`].version.split('.')[0])).toBe(major);
  });

  it('are pinned exactly, so that a checkout of today installs the same in a year', () => {
    const ranges = Object.entries({
      ...manifest.dependencies,
      ...manifest.devDependencies,
      ...manifest.optionalDependencies,
    });

    expect(ranges.filter(([, range]) => !/^\d+\.\d+\.\d+$/.test(String(range)))).toEqual([]);
  });

  it('run one install script, and every other one is refused by name', () => {
    const allowed = Object.entries(manifest.allowScripts).filter(([, isAllowed]) => isAllowed);
    const withScripts = Object.entries(lock.packages as Record<string, { hasInstallScript?: boolean }>)
      .filter(([, entry]) => entry.hasInstallScript === true)
      .map(([path]) => path.split('node_modules/').at(-1) ?? path);

    expect(allowed).toEqual([['node', true]]);
    expect(withScripts.filter((name) => !(name in manifest.allowScripts) && name !== 'fsevents')).toEqual([]);
  });

  it('come from wherever npm is told to look: the lockfile names no host', () => {
    expect(read('package-lock.json')).not.toContain('"resolved"');
  });
});
