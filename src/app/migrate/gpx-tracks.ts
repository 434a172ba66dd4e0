import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { processEnv } from '../../config/env.ts';
import { expandPath } from '../../config/expand.ts';
import { readYaml } from '../../config/yaml-source.ts';

export const GPX_TARGET = join('plugins', 'community', 'gpxtracker', 'data');

/** The tracks that the gpxtracker plugin of the Python relay wrote where `config.yaml` of this folder told it to. */
export function gpxTracks(root: string): { readonly folder: string; readonly files: readonly string[] } | null {
  const folder = gpxFolder(root);
  if (folder === null || statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return null;
  const files = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.gpx'))
    .map(({ name }) => name)
    .sort();
  return files.length === 0 ? null : { folder, files };
}

function gpxFolder(root: string): string | null {
  let text: string;
  try {
    text = readFileSync(join(root, 'config.yaml'), 'utf8');
  } catch {
    return null; // no configuration here, or none that we may read: `config check` tells
  }
  const path = ['community-plugins', 'gpxtracker', 'gpx_directory'].reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
    readYaml(text).value,
  );
  return typeof path === 'string' && path.trim() !== '' ? expandPath(path, { env: processEnv(), cwd: root }) : null;
}
