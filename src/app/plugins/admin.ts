import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join, parse, relative } from 'node:path';
import type { AppPaths } from '../../config/paths.ts';
import { customCode, folderEntry } from '../../plugins/sources/entry.ts';
import { locatePlugin } from '../../plugins/sources/locate.ts';
import { runPluginTests, type TestResult } from '../../plugins/sources/run-tests.ts';
import { templateFiles } from '../../plugins/sources/template.ts';
import { isPluginName } from '../../plugins/validate.ts';
import { systemClock } from '../../util/clock.ts';
import { errorText, RelayError } from '../../util/relay-error.ts';
import { checkoutOf, type PluginListing, type PluginSetup, sourceOf } from './community-setup.ts';
import { CORE_PLUGINS } from './core-plugins.ts';
import { communityPlugin } from './create-plugins.ts';
import { strayCheckouts } from './list.ts';

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
  /** The folder it was in, or its only file. */
  readonly code: string;
  /** Where the code is now; null when it is gone. */
  readonly keptIn: string | null;
}

/**
 * Removes the code of a community plugin, which its origin has. That of a custom plugin may be nowhere else: it is set
 * aside. Data stay. @param name as `listPlugins` has it @throws RelayError PLUGIN_MISSING
 */
export function removePlugin({ config, paths }: PluginListing, name: string): RemovedCode {
  const entry = config?.plugins.community.find((candidate) => candidate.name === name);
  const fetched = config === null || entry === undefined ? null : checkoutOf({ config, paths }, entry);
  if (fetched !== null && existsSync(fetched)) return { code: clear(fetched, null), keptIn: null };
  const own = isPluginName(name) ? customCode(paths.customPlugins.path, name) : null;
  if (own !== null) return setAside(own, join(paths.plugins.path, 'removed', `${name}-${systemClock.now()}`));
  const root = paths.communityPlugins.path;
  const stray = strayCheckouts({ config, paths }).find((folder) => relative(root, folder) === name);
  if (stray !== undefined) return { code: clear(stray, null), keptIn: null };
  throw new RelayError('PLUGIN_MISSING', `There is no code of a plugin called ${name}; see "mmrelay plugins list"`);
}

function setAside(code: string, keptIn: string): RemovedCode {
  mkdirSync(keptIn, { recursive: true, mode: 0o700 });
  if (statSync(code).isDirectory()) return { code: clear(code, keptIn), keptIn };
  const { dir, name } = parse(code);
  // Its test goes with it.
  for (const file of readdirSync(dir).filter((item) => item === basename(code) || item.startsWith(`${name}.test.`)))
    renameSync(join(dir, file), join(keptIn, file));
  return { code, keptIn };
}

/** Takes the code out of a folder; data may lie inside, and stay. */
function clear(folder: string, keptIn: string | null): string {
  for (const file of readdirSync(folder).filter((item) => item !== 'data'))
    if (keptIn === null) rmSync(join(folder, file), { recursive: true, force: true });
    else renameSync(join(folder, file), join(keptIn, file));
  if (readdirSync(folder).length === 0) rmSync(folder, { recursive: true });
  return folder;
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
