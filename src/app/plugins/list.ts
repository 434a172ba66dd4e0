import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join, parse, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PluginEntryConfig } from '../../config/types.ts';
import { customEntry, folderEntry } from '../../plugins/sources/entry.ts';
import { isPluginName } from '../../plugins/validate.ts';
import { errorText } from '../../util/relay-error.ts';
import { checkoutOf, type PluginListing, type PluginSetup, sourceOf } from './community-setup.ts';
import { CORE_PLUGINS, noCorePlugin } from './core-plugins.ts';
import { communityPlugin } from './create-plugins.ts';

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
export function listPlugins({ config, paths }: PluginListing): readonly PluginRow[] {
  const { core, custom } = config?.plugins ?? { core: [], custom: [] };
  const isActive = (entries: readonly PluginEntryConfig[], name: string): boolean =>
    entries.some((entry) => entry.name === name && entry.active);
  const coreRows = [...new Set([...CORE_PLUGINS, ...core.map(({ name }) => name)])].map((name) => ({
    name,
    tier: 'core' as const,
    active: isActive(core, name),
    ...(CORE_PLUGINS.includes(name) ? { note: '', broken: false } : { note: noCorePlugin(name), broken: true }),
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
  return [
    ...coreRows,
    ...customRows,
    ...(config === null ? [] : communityRows({ config, paths })),
    ...checkoutRows({ config, paths }),
  ];
}

function communityRows(setup: PluginSetup): readonly PluginRow[] {
  return setup.config.plugins.community.map((entry) => ({
    name: entry.name,
    tier: 'community' as const,
    active: entry.active,
    ...noteOf(() => {
      const plugin = communityPlugin(entry);
      const folder = sourceOf(setup).folder(plugin);
      if (existsSync(folder)) return folderEntry(folder, entry.name);
      const old = oldCheckout(setup.paths.communityPlugins.path, plugin.repository);
      return old === null ? `not installed; from ${plugin.repository}` : folderEntry(old, entry.name);
    }, true),
  }));
}

/** Where mmrelay 1.x had checked the same repository out: when that is Python, a start would fetch Python once more. */
function oldCheckout(root: string, repository: string): string | null {
  const plain = repository.replace(/(\.git)?\/*$/, '');
  const folder = join(root, basename(plain));
  try {
    const isSame = readFileSync(join(folder, '.git', 'config'), 'utf8').includes(plain);
    return isSame && readdirSync(folder).some((file) => file.endsWith('.py')) ? folder : null;
  } catch {
    return null; // there is none
  }
}

function checkoutRows(listing: PluginListing): readonly PluginRow[] {
  return strayCheckouts(listing).map((folder) => ({
    name: relative(listing.paths.communityPlugins.path, folder),
    tier: 'community' as const,
    active: false,
    ...noteOf(() => folderEntry(folder, basename(folder)), false),
  }));
}

/** Checkouts that no entry names, and those of mmrelay 1.x: Python, directly in the community folder. */
export function strayCheckouts({ config, paths }: PluginListing): readonly string[] {
  const named = config === null ? [] : config.plugins.community.map((entry) => checkoutOf({ config, paths }, entry));
  return checkoutsBelow(paths.communityPlugins.path, CHECKOUT_DEPTH).filter((folder) => !named.includes(folder));
}

/** `host/owner/name`, and groups of some git servers. */
const CHECKOUT_DEPTH = 5;

function checkoutsBelow(root: string, depth: number): readonly string[] {
  return folderNames(root).flatMap((name) => {
    const folder = join(root, name);
    const isCheckout = existsSync(join(folder, '.git')) || readdirSync(folder).some((file) => file.endsWith('.py'));
    return isCheckout ? [folder] : depth > 1 ? checkoutsBelow(folder, depth - 1) : [];
  });
}

function noteOf(locate: () => string, isConfigured: boolean): Pick<PluginRow, 'note' | 'broken'> {
  try {
    const found = locate();
    const place = found.startsWith('file:') ? fileURLToPath(found) : found;
    return { note: isConfigured ? place : `${place} (not in the configuration)`, broken: false };
  } catch (error) {
    return { note: errorText(error), broken: true };
  }
}

function folderNames(root: string): string[] {
  if (!existsSync(root)) return [];
  return readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => name);
}

/** Of folders and of single files. */
function customNamesIn(root: string): string[] {
  if (!existsSync(root)) return [];
  const files = readdirSync(root).filter((file) => /\.(?:ts|js|mjs)$/.test(file) && !file.includes('.test.'));
  return [...folderNames(root), ...files.map((file) => parse(file).name)].filter(isPluginName);
}
