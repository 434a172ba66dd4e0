import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, parse } from 'node:path';
import { nearest } from '../../config/nearest.ts';
import type { AppPaths } from '../../config/paths.ts';
import type { PluginEntryConfig, RelayConfig } from '../../config/types.ts';
import { customEntry, folderEntry } from '../../plugins/sources/entry.ts';
import { locatePlugin } from '../../plugins/sources/locate.ts';
import { runPluginTests, type TestResult } from '../../plugins/sources/run-tests.ts';
import { templateFiles } from '../../plugins/sources/template.ts';
import { isPluginName } from '../../plugins/validate.ts';
import { systemClock } from '../../util/clock.ts';
import { silentLogger } from '../../util/logger.ts';
import { errorText, RelayError } from '../../util/relay-error.ts';
import { CORE_PLUGINS } from './core-plugins.ts';
import { communityPlugin, communitySource } from './create-plugins.ts';

export interface PluginSetup {
  readonly config: RelayConfig;
  readonly paths: AppPaths;
}

export interface PluginRow {
  readonly name: string;
  readonly tier: 'core' | 'custom' | 'community';
  readonly active: boolean;
  /** What is wrong with its code, or where that comes from. */
  readonly note: string;
  /** Its code is not there, or cannot run here. */
  readonly broken: boolean;
}

/** Every plugin there is: the core ones, those of the configuration, and code in the home that nothing names. */
export function listPlugins({ config, paths }: PluginSetup): readonly PluginRow[] {
  const { core, custom, community } = config.plugins;
  const isActive = (entries: readonly PluginEntryConfig[], name: string): boolean =>
    entries.some((entry) => entry.name === name && entry.active);
  const coreRows = [...new Set([...CORE_PLUGINS, ...core.map(({ name }) => name)])].map((name) => ({
    name,
    tier: 'core' as const,
    active: isActive(core, name),
    ...(CORE_PLUGINS.includes(name) ? { note: '', broken: false } : { note: unknownCore(name), broken: true }),
  }));
  const customNames = new Set([...custom.map(({ name }) => name), ...customNamesIn(paths.customPlugins.path)]);
  const customRows = [...customNames].map((name) => ({
    name,
    tier: 'custom' as const,
    active: isActive(custom, name),
    ...noteOf(
      () => customEntry(paths.customPlugins.path, name),
      custom.some((entry) => entry.name === name),
    ),
  }));
  const source = sourceOf({ config, paths });
  const communityRows = community.map((entry) => ({
    name: entry.name,
    tier: 'community' as const,
    active: entry.active,
    ...noteOf(() => {
      const folder = source.folder(communityPlugin(entry));
      return existsSync(folder) ? folderEntry(folder, entry.name) : `not installed; from ${entry.source?.repository}`;
    }, true),
  }));
  return [...coreRows, ...customRows, ...communityRows, ...oldCheckouts(paths)];
}

/** Python checkouts of mmrelay 1.x lay directly in the community folder. */
function oldCheckouts({ communityPlugins }: AppPaths): readonly PluginRow[] {
  return folderNames(communityPlugins.path).flatMap((name) => {
    const folder = join(communityPlugins.path, name);
    if (!existsSync(join(folder, '.git')) && !readdirSync(folder).some((file) => file.endsWith('.py'))) return [];
    return [{ name, tier: 'community' as const, active: false, ...noteOf(() => folderEntry(folder, name), true) }];
  });
}

function unknownCore(name: string): string {
  const meant = nearest(name, CORE_PLUGINS);
  return `there is no core plugin of this name${meant === null ? '' : `; did you mean ${meant}?`}`;
}

function noteOf(locate: () => string, isConfigured: boolean): Pick<PluginRow, 'note' | 'broken'> {
  try {
    const found = locate();
    return { note: isConfigured ? found : `${found} (not in the configuration)`, broken: false };
  } catch (error) {
    return { note: errorText(error), broken: true };
  }
}

function folderNames(root: string): string[] {
  if (!existsSync(root)) return [];
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && isPluginName(entry.name))
    .map(({ name }) => name);
}

/** Of folders and of single files. */
function customNamesIn(root: string): string[] {
  if (!existsSync(root)) return [];
  const files = readdirSync(root).filter((file) => /\.(?:ts|js|mjs)$/.test(file) && !file.includes('.test.'));
  return [...folderNames(root), ...files.map((file) => parse(file).name).filter(isPluginName)];
}

function sourceOf({ config, paths }: PluginSetup): ReturnType<typeof communitySource> {
  return communitySource(config, paths, { logger: silentLogger, clock: systemClock });
}

export interface InstallResult {
  readonly name: string;
  readonly commit: string | null;
  readonly changed: boolean;
  /** A newer commit upstream, for a plugin that is held at one. */
  readonly news: string | null;
  readonly problem: string | null;
}

/**
 * Fetches the code of community plugins of the configuration; `update` asks their origins for news.
 * @param names empty: all of them
 */
export async function installPlugins(
  setup: PluginSetup,
  names: readonly string[],
  update: boolean,
): Promise<readonly InstallResult[]> {
  const { community } = setup.config.plugins;
  const unknown = names.filter((name) => !community.some((entry) => entry.name === name));
  if (unknown.length > 0)
    throw new RelayError('PLUGIN_MISSING', `Not in community-plugins of the configuration: ${unknown.join(', ')}`);
  const source = sourceOf(setup);
  const wanted = community.filter(({ name }) => names.length === 0 || names.includes(name));
  const results: InstallResult[] = [];
  for (const entry of wanted) {
    const { name } = entry;
    try {
      const plugin = communityPlugin(entry);
      const { commit, changed, folder } = await source.install(plugin, update);
      folderEntry(folder, name);
      const head = update && plugin.ref.kind === 'commit' ? await source.upstream(plugin) : null;
      results.push({ name, commit, changed, news: head === commit ? null : head, problem: null });
    } catch (error) {
      results.push({ name, commit: null, changed: false, news: null, problem: errorText(error) });
    }
  }
  return results;
}

export interface RemovedCode {
  readonly folder: string;
  /** Where the code is now; null when it is gone. */
  readonly keptIn: string | null;
}

/**
 * Removes the code of a community plugin, which its origin has. That of a custom plugin may be nowhere else: it is set
 * aside. Data stay. @throws RelayError PLUGIN_NAME, PLUGIN_MISSING
 */
export function removePlugin({ config, paths }: PluginSetup, name: string): RemovedCode {
  if (!isPluginName(name)) throw new RelayError('PLUGIN_NAME', `"${name}" cannot be the name of a plugin`);
  const entry = config.plugins.community.find((candidate) => candidate.name === name);
  const custom = join(paths.customPlugins.path, name);
  const folders = [
    ...(entry === undefined ? [] : [sourceOf({ config, paths }).folder(communityPlugin(entry))]),
    custom,
    join(paths.communityPlugins.path, name),
  ];
  const folder = folders.find((candidate) => existsSync(candidate));
  if (folder === undefined) throw new RelayError('PLUGIN_MISSING', `There is no code of a plugin called ${name}`);
  const keptIn = folder === custom ? join(paths.plugins.path, 'removed', `${name}-${systemClock.now()}`) : null;
  if (keptIn !== null) mkdirSync(keptIn, { recursive: true, mode: 0o700 });
  // Its data folder may lie inside; only code goes.
  for (const file of readdirSync(folder).filter((item) => item !== 'data'))
    if (keptIn === null) rmSync(join(folder, file), { recursive: true, force: true });
    else renameSync(join(folder, file), join(keptIn, file));
  if (readdirSync(folder).length === 0) rmSync(folder, { recursive: true });
  return { folder, keptIn };
}

/** Writes a working example. @returns its folder @throws RelayError PLUGIN_NAME, PLUGIN_EXISTS */
export function newPlugin({ customPlugins }: AppPaths, name: string): string {
  if (!isPluginName(name))
    throw new RelayError('PLUGIN_NAME', `"${name}" cannot be the name of a plugin: letters, digits, _ - and .`);
  // Both would have one store, and one command.
  if (CORE_PLUGINS.includes(name))
    throw new RelayError('PLUGIN_EXISTS', `${name} is the name of a core plugin: take another`);
  const folder = join(customPlugins.path, name);
  if (existsSync(folder)) throw new RelayError('PLUGIN_EXISTS', `${folder} is there already`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const [file, text] of templateFiles(name)) writeFileSync(join(folder, file), text);
  return folder;
}

/** Checks a custom plugin (by name) or any plugin (by path) and runs its tests. @throws RelayError PLUGIN_* */
export async function testPluginCode({ customPlugins }: AppPaths, which: string): Promise<readonly TestResult[]> {
  return runPluginTests(locatePlugin(customPlugins.path, which));
}
