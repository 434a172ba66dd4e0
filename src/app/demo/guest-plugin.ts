import { cpSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { AppPaths } from '../../config/paths.ts';
import { loadPlugin } from '../../plugins/sources/load.ts';
import { locatePlugin } from '../../plugins/sources/locate.ts';

/** A plugin that somebody writes, to be tried in the demo. */
export interface GuestPlugin {
  readonly name: string;
  /** Its folder, or its only file. */
  readonly path: string;
}

/** By the name of a custom plugin in the home, or a path. @throws RelayError PLUGIN_* */
export async function findGuestPlugin(
  { customPlugins }: Pick<AppPaths, 'customPlugins'>,
  which: string,
): Promise<GuestPlugin> {
  const { name, path, entry } = locatePlugin(customPlugins.path, which);
  // A folder somewhere, as a checkout, may be called otherwise than the plugin in it.
  return { name: name ?? (await loadPlugin(entry)).name, path };
}

/** Copies it into the demo's own home. */
export function installGuestPlugin({ name, path }: GuestPlugin, home: string): void {
  const folder = join(home, 'plugins', 'custom', name);
  cpSync(path, statSync(path).isDirectory() ? folder : join(folder, `index${extname(path)}`), { recursive: true });
}
