import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type CommunityPlugin, CommunitySource } from '../../../src/plugins/sources/community.ts';
import { customEntry } from '../../../src/plugins/sources/entry.ts';
import { silentLogger } from '../../../src/util/logger.ts';
import { ManualClock } from '../../../src/util/manual-clock.ts';
import { createRepository, pluginCode, type TestRepository, tempFolder } from './git-server.ts';

function source(root = tempFolder(), change: Partial<ConstructorParameters<typeof CommunitySource>[0]> = {}) {
  const options = {
    root,
    policy: { hosts: ['example.org'], allowLocal: true },
    allowUntrusted: false,
    env: { PATH: process.env.PATH, HOME: root },
    clock: new ManualClock(),
    logger: silentLogger,
    ...change,
  };
  return new CommunitySource(options);
}

function plugin(repository: TestRepository, kind: 'commit' | 'tag' | 'branch', name: string): CommunityPlugin {
  return { name: 'plugin', repository: repository.url, ref: { kind, name }, installRequirements: false };
}

function versionIn(folder: string): string | undefined {
  return /version: '([^']*)'/.exec(readFileSync(join(folder, 'index.js'), 'utf8'))?.[1];
}

describe('a community plugin from git', () => {
  it('is taken at a commit, whole or abbreviated, and stays there', async () => {
    const repository = createRepository();
    const first = repository.commit({ 'index.js': pluginCode('plugin', '1') });
    repository.commit({ 'index.js': pluginCode('plugin', '2') });
    for (const ref of [first, first.slice(0, 9)]) {
      const from = source();
      const { folder, commit } = await from.install(plugin(repository, 'commit', ref), false);
      expect([versionIn(folder), commit]).toEqual(['1', first]);
      expect(await from.install(plugin(repository, 'commit', ref), true)).toMatchObject({
        commit: first,
        changed: false,
      });
    }
  });

  it('follows a branch that moves, even backwards, and only when asked', async () => {
    const repository = createRepository();
    const first = repository.commit({ 'index.js': pluginCode('plugin', '1') });
    const from = source();
    const wanted = plugin(repository, 'branch', 'main');
    const { folder } = await from.install(wanted, false);
    const second = repository.commit({ 'index.js': pluginCode('plugin', '2') });

    expect(await from.install(wanted, false)).toMatchObject({ commit: first, changed: false });
    expect(await from.install(wanted, true)).toMatchObject({ commit: second, changed: true });
    expect(versionIn(folder)).toBe('2');
    repository.git('reset', '--quiet', '--hard', first);
    repository.commit({ 'index.js': pluginCode('plugin', '3') });
    await from.install(wanted, true);
    expect(versionIn(folder)).toBe('3');
  });

  it('takes tags, annotated or not, and a tag that was moved', async () => {
    const repository = createRepository();
    repository.commit({ 'index.js': pluginCode('plugin', '1') });
    repository.git('tag', 'v1');
    repository.git('tag', '--annotate', '--message=x', 'a1');
    const from = source();
    const { folder } = await from.install(plugin(repository, 'tag', 'v1'), false);
    expect(versionIn(folder)).toBe('1');
    repository.commit({ 'index.js': pluginCode('plugin', '2') });
    repository.git('tag', '--force', 'v1');
    await from.install(plugin(repository, 'tag', 'v1'), true);
    expect(versionIn(folder)).toBe('2');
    await from.install(plugin(repository, 'tag', 'a1'), true);
    expect(versionIn(folder)).toBe('1');
  });

  it('goes to another tag or branch as soon as the configuration names one', async () => {
    const repository = createRepository();
    repository.commit({ 'index.js': pluginCode('plugin', '1') });
    repository.git('tag', 'v1');
    repository.commit({ 'index.js': pluginCode('plugin', '2') });
    repository.git('tag', 'v2');
    const from = source();
    const { folder } = await from.install(plugin(repository, 'tag', 'v1'), false);

    expect(await from.install(plugin(repository, 'tag', 'v2'), false)).toMatchObject({ changed: true });
    expect(versionIn(folder)).toBe('2');
    await from.install(plugin(repository, 'tag', 'v1'), false);
    expect(versionIn(folder)).toBe('1');
    await from.install(plugin(repository, 'branch', 'main'), false);
    expect(versionIn(folder)).toBe('2');
    await expect(from.prepare(plugin(repository, 'tag', 'v3'))).rejects.toMatchObject({ code: 'PLUGIN_GIT' });
  });

  it('names a commit that its origin does not have', async () => {
    const repository = createRepository();
    repository.commit({ 'index.js': pluginCode('plugin', '1') });
    await expect(source().install(plugin(repository, 'commit', 'abcdef1'), false)).rejects.toThrow(
      `${repository.url} has no commit abcdef1`,
    );
  });

  it('two of one name from two origins lie apart', async () => {
    const one = createRepository();
    const two = createRepository();
    one.commit({ 'index.js': pluginCode('plugin', '1') });
    two.commit({ 'index.js': pluginCode('plugin', '2') });
    const from = source();

    const first = await from.install(plugin(one, 'branch', 'main'), false);
    const second = await from.install(plugin(two, 'branch', 'main'), false);
    expect([versionIn(first.folder), versionIn(second.folder)]).toEqual(['1', '2']);
  });

  it('is not run from a checkout of another origin', async () => {
    const repository = createRepository();
    repository.commit({ 'index.js': pluginCode('plugin', '1') });
    const root = tempFolder();
    const wanted = plugin(repository, 'branch', 'main');
    const { folder } = await source(root).install(wanted, false);
    const config = join(folder, '.git', 'config');
    writeFileSync(config, readFileSync(config, 'utf8').replace(repository.url, 'https://example.org/other'));

    await expect(source(root).prepare(wanted)).rejects.toMatchObject({ code: 'PLUGIN_SOURCE' });
  });

  it('runs from what is there when its origin is away, and says clearly when nothing is', async () => {
    const repository = createRepository();
    repository.commit({ 'index.js': pluginCode('plugin', '1') });
    const root = tempFolder();
    const wanted = plugin(repository, 'branch', 'main');
    const entry = await source(root).prepare(wanted);
    repository.git('update-ref', '-d', 'refs/heads/main');

    expect(await source(root).prepare(wanted)).toBe(entry);
    await expect(source().prepare(wanted)).rejects.toMatchObject({ code: 'PLUGIN_GIT' });
  });

  it('runs no hooks, fetches no submodules and follows no links out of its folder', async () => {
    const other = createRepository('sub');
    other.commit({ 'x.txt': 'x' });
    const repository = createRepository();
    repository.commit({ 'index.js': pluginCode('plugin', '1') });
    repository.git('-c', 'protocol.file.allow=always', 'submodule', 'add', '--quiet', other.url, 'sub');
    symlinkSync('/etc/passwd', join(repository.path, 'passwd.js'));
    const home = tempFolder();
    const hooks = join(home, 'hooks');
    mkdirSync(hooks);
    writeFileSync(join(hooks, 'post-checkout'), `#!/bin/sh\ntouch ${home}/hook-ran\n`, { mode: 0o755 });
    writeFileSync(join(home, '.gitconfig'), `[core]\n  hooksPath = ${hooks}\n[submodule]\n  recurse = true\n`);
    repository.commit({ 'package.json': '{"main": "passwd.js"}' });
    const from = source(home, { env: { PATH: process.env.PATH, HOME: home } });

    const { folder } = await from.install(plugin(repository, 'branch', 'main'), false);
    expect(existsSync(join(home, 'hook-ran'))).toBe(false);
    expect(existsSync(join(folder, 'sub', 'x.txt'))).toBe(false);
    // The link came as a text file, so the plugin is a broken module and nothing else.
    expect(readFileSync(join(folder, 'passwd.js'), 'utf8')).toBe('/etc/passwd');
  });

  it('installs requirements only by a lockfile of the registry, from a full commit', async () => {
    const repository = createRepository();
    const commit = repository.commit({
      'index.js': pluginCode('plugin', '1'),
      'package.json': '{"name":"plugin","version":"1.0.0","dependencies":{"x":"1.0.0"}}',
    });
    const wanted = { ...plugin(repository, 'commit', commit), installRequirements: true };

    await expect(
      source().install({ ...wanted, ref: { kind: 'commit', name: commit.slice(0, 8) } }, false),
    ).rejects.toThrow(/full commit id/);
    await expect(source().install(wanted, false)).rejects.toThrow(/no package-lock.json/);
    const locked = repository.commit({
      'package-lock.json':
        '{"lockfileVersion":3,"packages":{"":{},"node_modules/x":{"resolved":"git+ssh://git@ex.org/x#1"}}}',
    });
    await expect(source().install({ ...wanted, ref: { kind: 'commit', name: locked } }, false)).rejects.toThrow(
      /outside the registry \(x\)/,
    );
  });

  it('tells of news upstream of a commit', async () => {
    const repository = createRepository();
    const first = repository.commit({ 'index.js': pluginCode('plugin', '1') });
    const second = repository.commit({ 'index.js': pluginCode('plugin', '2') });
    expect(await source().upstream(plugin(repository, 'commit', first))).toBe(second);
  });
});

describe('a custom plugin in the home', () => {
  it('is a folder or a single file', () => {
    const root = tempFolder();
    writeFileSync(join(root, 'one.ts'), pluginCode('one', '1'));
    mkdirSync(join(root, 'two'));
    writeFileSync(join(root, 'two', 'package.json'), '{"main": "lib.js"}');
    writeFileSync(join(root, 'two', 'lib.js'), pluginCode('two', '1'));

    expect(fileURLToPath(customEntry(root, 'one'))).toMatch(/one\.ts$/);
    expect(fileURLToPath(customEntry(root, 'two'))).toMatch(/two\/lib\.js$/);
  });

  it.each(['../x', 'a/b', '..', '.hidden', '', 'a\\b', '/etc', 'a..b'])('is never named %j', (name) => {
    expect(() => customEntry(tempFolder(), name)).toThrow(expect.objectContaining({ code: 'PLUGIN_NAME' }));
  });

  it('never leads out of the home', () => {
    const root = tempFolder();
    const outside = tempFolder();
    writeFileSync(join(outside, 'index.js'), pluginCode('link', '1'));
    symlinkSync(outside, join(root, 'link'));
    mkdirSync(join(root, 'main'));
    writeFileSync(
      join(root, 'main', 'package.json'),
      JSON.stringify({ main: `../../${outside.split('/').at(-1)}/index.js` }),
    );
    symlinkSync(join(outside, 'index.js'), join(root, 'file.js'));

    for (const name of ['link', 'main', 'file'])
      expect(() => customEntry(root, name), name).toThrow(expect.objectContaining({ code: 'PLUGIN_PATH' }));
  });

  it('in Python is named, with what replaces it', () => {
    const root = tempFolder();
    mkdirSync(join(root, 'my-weather'));
    writeFileSync(join(root, 'my-weather', 'weather.py'), 'class Plugin: pass');

    expect(() => customEntry(root, 'my-weather')).toThrow(/Python plugin of mmrelay 1\.x.*core plugin "weather"/);
  });
});
