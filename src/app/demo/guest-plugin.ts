import { cpSync, existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { AppPaths } from '../../config/paths.ts';
import { folderEntry } from '../../plugins/sources/entry.ts';
import { RelayError } from '../../util/relay-error.ts';

/** A plugin that somebody writes, to be tried in the demo. */
export interface GuestPlugin {
  readonly name: string;
  readonly folder: string;
}

/** By the name of a custom plugin in the home, or a path. @throws RelayError PLUGIN_MISSING, PLUGIN_PYTHON, PLUGIN_PATH */
export function findGuestPlugin({ customPlugins }: Pick<AppPaths, 'customPlugins'>, which: string): GuestPlugin {
  const folder = which.includes('/') ? resolve(which) : join(customPlugins.path, which);
  const name = basename(folder);
  if (!existsSync(folder)) throw new RelayError('PLUGIN_MISSING', `There is no ${folder}`);
  folderEntry(folder, name);
  return { name, folder };
}

/** Copies it into the demo's own home. */
export function installGuestPlugin({ name, folder }: GuestPlugin, home: string): void {
  cpSync(folder, join(home, 'plugins', 'custom', name), { recursive: true });
}
