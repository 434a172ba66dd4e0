import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { installPlugins, newPlugin, removePlugin, testPluginCode } from '../../../src/app/plugins/admin.ts';
import { listPlugins } from '../../../src/app/plugins/list.ts';
import { resolvePaths } from '../../../src/config/paths.ts';
import { config } from '../../config/helpers.ts';
import { createRepository, pluginCode } from '../sources/git-server.ts';

function setup(sections = '') {
  const home = mkdtempSync(join(tmpdir(), 'mmrelay-home-'));
  const paths = resolvePaths({ cli: { home }, env: {}, cwd: home, config: null, configFile: null });
  const text = `matrix: { homeserver: https://ex.org, bot_user_id: '@bot:ex.org', access_token: x }
matrix_rooms: [{ id: '!room:ex.org', meshtastic_channel: 0 }]
meshtastic: { connection_type: tcp, host: 127.0.0.1 }
${sections}`;
  return { home, paths, config: config(text) };
}

it('a new plugin works, its test passes, and a broken one fails it', async () => {
  const { paths } = setup();
  const folder = newPlugin(paths, 'my-greeter.2');
  expect((await testPluginCode(paths, 'my-greeter.2')).map(({ failure }) => failure)).toEqual([null, null, null]);
  expect(() => newPlugin(paths, 'my-greeter.2')).toThrow(/is there already/);
  expect(() => newPlugin(paths, 'ping')).toThrow('ping is the name of a core plugin');
  expect(() => newPlugin(paths, '../out')).toThrow(expect.objectContaining({ code: 'PLUGIN_NAME' }));

  const copy = newPlugin(paths, 'broken');
  const code = readFileSync(join(copy, 'index.ts'), 'utf8');
  writeFileSync(join(copy, 'index.ts'), code.replace('greeting number', 'number'));
  const results = await testPluginCode(paths, 'broken');
  expect(results.map(({ failure }) => failure === null)).toEqual([false, false, true]);
  expect(existsSync(join(folder, 'package.json'))).toBe(true);
});

it('what the relay would refuse, the test refuses: another name, code that cannot be loaded, with its place', async () => {
  const { paths } = setup();
  const change = (name: string, from: string, to: string): void => {
    const file = join(newPlugin(paths, name), 'index.ts');
    writeFileSync(file, readFileSync(file, 'utf8').replace(from, to));
  };
  change('misnamed', "name: 'misnamed'", "name: 'other'");
  await expect(testPluginCode(paths, 'misnamed')).rejects.toThrow(/calls itself "other", but its folder .* "misnamed"/);
  change('odd', 'const plugin', "throw new Error('at import');\nconst plugin");
  await expect(testPluginCode(paths, 'odd')).rejects.toThrow('It cannot be loaded: Error: at import');
  change('late', 'commands: [', "schedule: [{ name: 'tick', cron: 'every day', run() {} }],\n  commands: [");
  await expect(testPluginCode(paths, 'late')).rejects.toThrow('Job tick never runs: "every day" is no cron expression');
});

it('tests a plugin at a path: a folder, a package whose module lies deeper, a single file without its neighbours', async () => {
  const { paths, home } = setup();
  const folder = newPlugin(paths, 'lamp');
  const passed = [null, null, null];
  const failures = async (which: string) => (await testPluginCode(paths, which)).map(({ failure }) => failure);
  expect(await failures(folder)).toEqual(passed);

  const deep = join(home, 'mmrelay-lamp');
  mkdirSync(join(deep, 'src'), { recursive: true });
  for (const [from, to] of [
    ['index.ts', 'src/lamp.ts'],
    ['index.test.ts', 'lamp.test.ts'],
  ] as const)
    copyFileSync(join(folder, from), join(deep, to));
  writeFileSync(join(deep, 'package.json'), '{"main": "src/lamp.ts"}');
  expect(await failures(deep)).toEqual(passed);

  const single = join(paths.customPlugins.path, 'lone.ts');
  writeFileSync(single, readFileSync(join(folder, 'index.ts'), 'utf8').replace("name: 'lamp'", "name: 'lone'"));
  writeFileSync(join(paths.customPlugins.path, 'other.test.ts'), "throw new Error('of another plugin');");
  await expect(testPluginCode(paths, 'lone')).rejects.toThrow(/can be loaded, but there is no lone\.test\.ts/);
  copyFileSync(join(folder, 'index.test.ts'), join(paths.customPlugins.path, 'lone.test.ts'));
  expect(await failures(single)).toHaveLength(3);
  expect(await failures('lone')).toHaveLength(3);
  await expect(testPluginCode(paths, join(home, 'nowhere'))).rejects.toMatchObject({ code: 'PLUGIN_MISSING' });
});

it('keeps the code of a custom plugin that is removed: it may be nowhere else', () => {
  const given = setup();
  const folder = newPlugin(given.paths, 'mine');
  mkdirSync(join(folder, 'data'));
  writeFileSync(join(folder, 'data', 'x'), '');
  const { keptIn } = removePlugin(given, 'mine');
  expect(existsSync(join(keptIn ?? '', 'index.ts'))).toBe(true);
  expect(readdirSync(folder)).toEqual(['data']);
});

it('takes a single file with its test, and leaves its data, which are no code of their own', () => {
  const given = setup();
  const root = given.paths.customPlugins.path;
  mkdirSync(join(root, 'lone', 'data'), { recursive: true });
  for (const file of ['lone.ts', 'lone.test.ts', 'other.ts']) writeFileSync(join(root, file), '');
  expect(listPlugins(given).find(({ name }) => name === 'lone')).toMatchObject({ broken: false });
  const { code, keptIn } = removePlugin(given, 'lone');
  expect(code).toBe(join(root, 'lone.ts'));
  expect(readdirSync(keptIn ?? '').sort()).toEqual(['lone.test.ts', 'lone.ts']);
  expect(readdirSync(root).sort()).toEqual(['lone', 'other.ts']);
  expect(readdirSync(join(root, 'lone'))).toEqual(['data']);
});

it('lists without a configuration: the core plugins, and what is on the disk', () => {
  const { paths } = setup();
  newPlugin(paths, 'mine');
  const rows = listPlugins({ config: null, paths });
  expect(rows.filter(({ tier }) => tier === 'core').map(({ name }) => name)).toContain('ping');
  expect(rows.find(({ name }) => name === 'mine')).toMatchObject({ tier: 'custom', active: false, broken: false });
});

it('of a plugin that mmrelay 1.x had fetched it says that it is Python, before it is fetched once more', () => {
  const old = createRepository('mmr-tracker');
  const sections = `security: { allow_local_plugin_paths: true }
community-plugins:
  tracker: { active: true, repository: '${old.url}.git', branch: main }
  other: { active: true, repository: '${old.url}-of-others', branch: main }`;
  const given = setup(sections);
  const checkout = join(given.paths.communityPlugins.path, 'mmr-tracker');
  mkdirSync(join(checkout, '.git'), { recursive: true });
  writeFileSync(join(checkout, '.git', 'config'), `[remote "origin"]\n\turl = ${old.url}.git\n`);
  writeFileSync(join(checkout, 'tracker.py'), '');
  const row = (name: string) => listPlugins(given).find((one) => one.name === name);
  expect(row('tracker')).toMatchObject({ broken: true, note: expect.stringContaining('is a Python plugin') });
  expect(row('other')).toMatchObject({ broken: false, note: expect.stringContaining('not installed') });
});

it('lists, installs, updates and removes', async () => {
  const repository = createRepository('lamp');
  const first = repository.commit({ 'index.js': pluginCode('lamp', '1') });
  const given = setup(`security: { allow_local_plugin_paths: true }
plugins: { ping: { active: true } }
custom-plugins: { missing: { active: true } }
community-plugins:
  lamp: { active: true, repository: '${repository.url}', branch: main }
  held: { active: true, repository: '${repository.url}', commit: '${first}' }
  away: { active: true, repository: 'https://evil.example/x', branch: main }`);
  mkdirSync(join(given.paths.communityPlugins.path, 'old-map'), { recursive: true });
  writeFileSync(join(given.paths.communityPlugins.path, 'old-map', 'map.py'), '');
  mkdirSync(given.paths.customPlugins.path, { recursive: true });
  writeFileSync(join(given.paths.customPlugins.path, 'single.ts'), '');
  const note = (name: string): string | undefined => listPlugins(given).find((row) => row.name === name)?.note;

  expect(listPlugins(given).find(({ name }) => name === 'ping')).toMatchObject({
    tier: 'core',
    active: true,
    note: '',
  });
  expect(note('missing')).toContain('mmrelay plugins new missing');
  expect(note('single')).toMatch(/single\.ts \(not in the configuration\)/);
  expect(note('lamp')).toContain('not installed');
  expect(note('away')).toContain('security.community_repo_hosts');
  expect(note('old-map')).toMatch(/Python plugin.*core plugin "map"/);

  expect(await installPlugins(given, ['lamp'], false)).toMatchObject([
    { name: 'lamp', commit: first, changed: true, problem: null },
  ]);
  const second = repository.commit({ 'index.js': pluginCode('lamp', '2') });
  expect(await installPlugins(given, [], true)).toMatchObject([
    { name: 'lamp', commit: second, changed: true, news: null },
    { name: 'held', problem: null, commit: first, news: second },
    { name: 'away', commit: null, problem: expect.stringContaining('evil.example') },
  ]);
  for (const [name, version] of [
    ['lamp', '2'],
    ['held', '1'],
  ] as const) {
    expect(readFileSync(note(name) ?? '', 'utf8')).toContain(`version: '${version}'`);
  }
  await expect(installPlugins(given, ['nobody'], false)).rejects.toThrow(/Not in community-plugins.*nobody/);
  const rows = listPlugins({ ...given, config: null }).filter(({ tier }) => tier === 'community');
  expect(rows.map(({ note: words }) => words)).toEqual(
    expect.arrayContaining([expect.stringMatching(/index\.js \(not in the configuration\)/)]),
  );
  const { code, keptIn } = removePlugin(given, 'lamp');
  expect([existsSync(code), keptIn]).toEqual([false, null]);
  const stray = rows.find(({ name }) => name.endsWith('@held'))?.name ?? '';
  expect(removePlugin({ ...given, config: null }, stray).keptIn).toBeNull();
  expect(removePlugin(given, 'old-map').code).toBe(join(given.paths.communityPlugins.path, 'old-map'));
  expect(() => removePlugin(given, 'nobody')).toThrow(/no code of a plugin/);
});
