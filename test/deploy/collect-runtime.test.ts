import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { at } from './support/tree.ts';

// What goes into the image, tried on a small made-up installation.
describe('collect-runtime', () => {
  let root = '';
  const put = (path: string, content: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  };
  const collect = (arch: string) => {
    const script = join(root, 'deploy/docker/collect-runtime.mjs');
    return spawnSync(process.execPath, [script, join(root, 'out'), arch], { encoding: 'utf8' });
  };

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'mmrelay-runtime-'));
    mkdirSync(join(root, 'deploy/docker'), { recursive: true });
    cpSync(at('deploy/docker/collect-runtime.mjs'), join(root, 'deploy/docker/collect-runtime.mjs'));
    put('package.json', '{"name":"mmrelay"}');
    put('sample_config.yaml', '');
    put('docs/LICENSE', 'GPL');
    put('.ci/externals.mjs', "export const externals = ['native', 'world-atlas'];");
    put('dist/mmrelay.js', '');
    put('dist/mmrelay.js.map', '{}');
    put(
      'node_modules/native/package.json',
      '{"dependencies":{"helper":"1","node-gyp":"1"},"optionalDependencies":{"absent":"1"}}',
    );
    put('node_modules/native/index.js', '');
    put('node_modules/native/deps/big.c', '');
    put('node_modules/native/prebuilds/linux-x64.node', '');
    put('node_modules/native/prebuilds/linux-arm64.node', '');
    put('node_modules/native/prebuilds/linux-arm.node', '');
    put('node_modules/native/prebuilds/linuxmusl-x64.node', '');
    put('node_modules/native/build/Release/native.node', '');
    put('node_modules/native/prebuilds/win32-x64/a.node', '');
    put('node_modules/helper/package.json', '{}');
    put('node_modules/helper/src/index.js', '');
    put('node_modules/helper/README.md', '');
    put('node_modules/node-gyp/package.json', '{}');
    put('node_modules/world-atlas/package.json', '{}');
    put('node_modules/world-atlas/countries-50m.json', '{}');
    put('node_modules/world-atlas/countries-10m.json', '{}');
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const collected = (): readonly string[] =>
    readdirSync(join(root, 'out'), { recursive: true, encoding: 'utf8' })
      .filter((path) => /\.\w+$|LICENSE$/.test(path))
      .sort();

  it.each([
    ['amd64', 'linux-x64'],
    ['arm64', 'linux-arm64'],
  ])('takes for %s what the bundle loads, its dependencies, and binaries of that platform only', (arch, platform) => {
    const result = collect(arch);
    expect(result.stderr).toBe('');
    expect(collected()).toEqual([
      'LICENSE',
      'dist/mmrelay.js',
      'node_modules/helper/package.json',
      'node_modules/helper/src/index.js',
      'node_modules/native/index.js',
      'node_modules/native/package.json',
      `node_modules/native/prebuilds/${platform}.node`,
      'node_modules/world-atlas/countries-50m.json',
      'node_modules/world-atlas/package.json',
      'package.json',
      'sample_config.yaml',
    ]);
  });

  it('takes for 32-bit ARM the SQLite that was compiled', () => {
    const compiled = 'node_modules/better-sqlite3/build/Release/better_sqlite3.node';
    put(compiled, '');
    expect(collect('arm').stderr).toBe('');
    expect(collected()).toEqual(expect.arrayContaining([compiled, 'node_modules/native/prebuilds/linux-arm.node']));
  });

  it('wants that one compiled first', () => {
    const result = collect('arm');
    expect(result.status).not.toBe(0);
    expect(result.stderr).toContain('run deploy/docker/compile-sqlite.sh arm first');
  });

  it('refuses a platform that there is no image for', () => {
    const result = collect('riscv64');
    expect(result.status).not.toBe(0);
    expect(result.stderr).toContain('not for riscv64');
  });

  it('says which dependency is missing', () => {
    rmSync(join(root, 'node_modules/helper'), { recursive: true });
    expect(collect('amd64').stderr).toContain('helper, needed by node_modules/native, is not installed');
  });
});
