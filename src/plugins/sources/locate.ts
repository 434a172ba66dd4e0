import { existsSync, realpathSync, statSync } from 'node:fs';
import { basename, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { RelayError } from '../../util/relay-error.ts';
import { customCode, customEntry, folderEntry } from './entry.ts';

/** A plugin that somebody writes, on this disk. */
export interface PluginCode {
  /** What the relay will look for; null when a path was named: then what it calls itself. */
  readonly name: string | null;
  /** Its folder, or its only file. */
  readonly path: string;
  /** URL of its module. */
  readonly entry: string;
}

/**
 * Finds a plugin by its name in the home, or by a path to a folder or file.
 * @throws RelayError PLUGIN_NAME, PLUGIN_MISSING, PLUGIN_PYTHON, PLUGIN_PATH
 */
export function locatePlugin(customRoot: string, which: string): PluginCode {
  if (!isPath(which)) {
    const entry = customEntry(customRoot, which);
    return { name: which, path: realpathSync(customCode(customRoot, which) ?? fileURLToPath(entry)), entry };
  }
  if (!existsSync(which)) throw new RelayError('PLUGIN_MISSING', `There is no ${resolve(which)}`);
  const path = realpathSync(which);
  const isFolder = statSync(path).isDirectory();
  return { name: null, path, entry: isFolder ? folderEntry(path, basename(path)) : pathToFileURL(path).href };
}

function isPath(which: string): boolean {
  return which.includes('/') || which.includes(sep) || /^\.\.?$|\.m?[jt]s$/.test(which);
}
