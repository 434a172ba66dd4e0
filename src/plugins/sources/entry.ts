import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { RelayError } from '../../util/relay-error.ts';
import { isPluginName } from '../validate.ts';
import { replacementFor } from './python.ts';

const ENTRY_FILES = ['index.ts', 'index.mts', 'index.js', 'index.mjs', 'plugin.ts', 'plugin.js'];

/** The module of a custom plugin. @throws RelayError PLUGIN_NAME, PLUGIN_MISSING, PLUGIN_PYTHON, PLUGIN_PATH */
export function customEntry(root: string, name: string): string {
  const code = customCode(root, name);
  if (code === null)
    throw new RelayError('PLUGIN_MISSING', `There is no ${join(root, name)}; "mmrelay plugins new ${name}" makes one`);
  if (isFile(code)) return moduleUrl(root, code);
  // The folder itself may not lead elsewhere either.
  contained(root, code);
  return folderEntry(code, name);
}

/**
 * Where the code of a custom plugin is: its folder or its only file. A folder that holds data and nothing else is no
 * code: it is the data folder of a single file. null: there is none. @throws RelayError PLUGIN_NAME
 */
export function customCode(root: string, name: string): string | null {
  if (!isPluginName(name)) throw new RelayError('PLUGIN_NAME', `"${name}" cannot be the name of a plugin`);
  const folder = join(root, name);
  const isFolder = statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true;
  if (isFolder && readdirSync(folder).some((item) => item !== 'data')) return folder;
  const files = [`${name}.ts`, `${name}.js`, `${name}.mjs`].map((file) => join(root, file));
  return files.find(isFile) ?? (isFolder ? folder : null);
}

/**
 * The module of a plugin in its folder: `main` of package.json, or one of the usual names; never outside the folder,
 * and never a file that only happens to lie there. @throws RelayError PLUGIN_MISSING, PLUGIN_PYTHON, PLUGIN_PATH
 */
export function folderEntry(folder: string, name: string): string {
  const main = packageMain(folder);
  const candidates = main === null ? [...ENTRY_FILES, `${name}.ts`, `${name}.js`] : [main];
  const found = candidates.map((path) => join(folder, path)).find((path) => isFile(path));
  if (found !== undefined) return moduleUrl(folder, found);
  if (main !== null) throw new RelayError('PLUGIN_MISSING', `package.json names ${main}, which is not in ${folder}`);
  if (readdirSync(folder).some((file) => file.endsWith('.py')))
    throw new RelayError(
      'PLUGIN_PYTHON',
      `${name} is a Python plugin of mmrelay 1.x, which cannot run here. ${replacementFor(name)}`,
    );
  throw new RelayError('PLUGIN_MISSING', `${folder} has no index.ts or index.js`);
}

function moduleUrl(root: string, path: string): string {
  return pathToFileURL(contained(root, path)).href;
}

/** The real path, when it lies inside. @throws RelayError PLUGIN_PATH */
function contained(root: string, path: string): string {
  const real = realpathSync(path);
  if (!real.startsWith(realpathSync(root) + sep))
    throw new RelayError('PLUGIN_PATH', `${path} leads out of ${root}: that is not allowed`);
  return real;
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function packageMain(folder: string): string | null {
  const path = join(folder, 'package.json');
  if (!isFile(path)) return null;
  try {
    const parsed: unknown = JSON.parse(readFileSync(path, 'utf8'));
    const main = typeof parsed === 'object' && parsed !== null && 'main' in parsed ? parsed.main : null;
    return typeof main === 'string' && main !== '' ? main : null;
  } catch (error) {
    throw new RelayError('PLUGIN_MISSING', `${path} is not JSON`, { cause: error });
  }
}
