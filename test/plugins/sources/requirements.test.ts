import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { processEnv } from '../../../src/config/env.ts';
import { installRequirements } from '../../../src/plugins/sources/requirements.ts';

/** npm without the network: a lookup that is tried fails at once. */
const ENV = { ...processEnv(), npm_config_offline: 'true', npm_config_audit: 'false', npm_config_fund: 'false' };

/** A checkout whose plugin depends on a package in a tarball beside it, whose install script leaves a mark. */
function checkout(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mmrelay-requirements-'));
  const dependency = join(folder, 'dependency');
  mkdirSync(dependency);
  const scripts = { install: `node -e "require('fs').writeFileSync('${join(folder, 'ran')}', '')"` };
  write(dependency, 'package.json', { name: 'greeting', version: '1.0.0', main: 'index.js', scripts });
  writeFileSync(join(dependency, 'index.js'), "module.exports = 'hello from a package';\n");
  execFileSync('npm', ['pack', '--silent', dependency], { cwd: folder, env: ENV });
  write(folder, 'package.json', {
    name: 'plugin',
    version: '1.0.0',
    type: 'module',
    dependencies: { greeting: 'file:greeting-1.0.0.tgz' },
  });
  writeFileSync(join(folder, 'index.js'), "export { default } from 'greeting';\n");
  const lock = ['install', '--package-lock-only', '--ignore-scripts', '--silent'];
  execFileSync('npm', lock, { cwd: folder, env: ENV });
  return folder;
}

function write(folder: string, name: string, value: object): void {
  writeFileSync(join(folder, name), JSON.stringify(value));
}

/** A checkout with one locked package. */
function locked(entry: object): string {
  const folder = mkdtempSync(join(tmpdir(), 'mmrelay-requirements-'));
  write(folder, 'package.json', { name: 'plugin', version: '1.0.0', dependencies: { x: '^1.0.0' } });
  write(folder, 'package-lock.json', { lockfileVersion: 3, packages: { '': {}, 'node_modules/x': entry } });
  return folder;
}

describe('install_requirements', () => {
  it('really installs what the lockfile names, and runs nothing of it', async () => {
    const folder = checkout();
    await expect(installRequirements({ folder, env: ENV, allowUntrusted: false })).rejects.toThrow(
      /outside the registry \(greeting\); security.allow_untrusted_dependencies/,
    );
    await installRequirements({ folder, env: ENV, allowUntrusted: true });
    const module = (await import(pathToFileURL(join(folder, 'index.js')).href)) as { default: string };
    expect(module.default).toBe('hello from a package');
    expect(existsSync(join(folder, 'ran'))).toBe(false);
  });

  it('says what npm said, and that it is worth another try', async () => {
    const folder = checkout();
    write(folder, 'package.json', { name: 'plugin', version: '1.0.0', dependencies: { other: '1.0.0' } });
    await expect(installRequirements({ folder, env: ENV, allowUntrusted: true })).rejects.toMatchObject({
      code: 'PLUGIN_REQUIREMENTS',
      retry: { kind: 'later' },
      message: expect.stringMatching(/^npm ci failed in \S+: (?!A complete log|code).{20}/),
    });
  });

  it.each([
    ['from git', { resolved: 'git+ssh://git@ex.org/x#1', integrity: 'sha512-x' }],
    ['from another server', { version: '1.0.0', resolved: 'https://evil.example/x-1.0.0.tgz', integrity: 'sha512-x' }],
    ['without a hash', { version: '1.0.0', resolved: 'https://registry.npmjs.org/x/-/x-1.0.0.tgz' }],
    ['that is a link', { resolved: 'x', link: true }],
  ])('takes no package %s', async (_name, entry) => {
    await expect(installRequirements({ folder: locked(entry), env: ENV, allowUntrusted: false })).rejects.toThrow(
      /outside the registry \(x\)/,
    );
  });

  it.each([
    [
      'with its address',
      { version: '1.0.0', resolved: 'https://registry.npmjs.org/x/-/x-1.0.0.tgz', integrity: 'sha512-x' },
    ],
    ['without one', { version: '1.0.0', integrity: 'sha512-x' }],
  ])('takes a package of the registry %s', async (_name, entry) => {
    // It gets as far as npm, which has no network here.
    await expect(installRequirements({ folder: locked(entry), env: ENV, allowUntrusted: false })).rejects.toThrow(
      /^npm ci failed/,
    );
  });
});
