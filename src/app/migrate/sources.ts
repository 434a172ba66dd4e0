import { lstatSync, readdirSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { CRYPTO_KEY_FILE, RECOVERY_KEY_FILE } from '../account/encryption.ts';
import { GPX_TARGET, gpxTracks } from './gpx-tracks.ts';

/** What a file is to the relay. */
export type ArtefactKind = 'credentials' | 'config' | 'database' | 'store' | 'logs' | 'plugins' | 'gpxtracker';

/** A file of an older layout and the place it belongs to now, relative to the home. */
export interface Artefact {
  readonly kind: ArtefactKind;
  /** The folder it is taken from: the home, one named by the user, or one named by the configuration. */
  readonly root: string;
  readonly source: string;
  readonly target: string;
  readonly bytes: number;
}

export const SIDECARS = ['-wal', '-shm', '-journal'] as const;
const DATABASE = 'meshtastic.sqlite';
const TARGET_DATABASE = join('database', DATABASE);
/** Where old versions kept one file, in the order in which they preferred them. */
const CREDENTIALS = [join('matrix', 'credentials.json'), 'credentials.json'];
const DATABASES = [TARGET_DATABASE, join('data', DATABASE), DATABASE];

/** Data that older versions of the relay left in `root` and that has another place in `home`. Reads names and sizes only. */
export function findArtefacts(root: string, home: string): Artefact[] {
  const foreign = root !== home;
  const found: Artefact[] = [];
  const add = (kind: ArtefactKind, from: string, to: string): void => {
    const source = join(root, from);
    const stat = lstatSync(source, { throwIfNoEntry: false });
    if (stat?.isFile() !== true || source === join(home, to)) return;
    found.push({ kind, root, source, target: to, bytes: stat.size });
  };
  for (const place of CREDENTIALS) add('credentials', place, 'credentials.json');
  // The key of our own crypto stores lies beside the credentials: without it they cannot be opened.
  for (const name of [CRYPTO_KEY_FILE, RECOVERY_KEY_FILE])
    for (const place of [join('matrix', name), name]) add('store', place, name);
  if (foreign) add('config', 'config.yaml', 'config.yaml');
  for (const place of DATABASES) {
    add('database', place, TARGET_DATABASE);
  }
  const tree = (kind: ArtefactKind, from: string, to: string): void => addTree(found, { kind, root, from, to });
  tree('store', join('matrix', 'store'), 'store');
  tree('plugins', join('matrix', 'plugins'), 'plugins');
  addTracks(found, root, home);
  if (!foreign) return found;
  tree('store', 'store', 'store');
  tree('logs', 'logs', 'logs');
  for (const part of ['custom', 'community', 'core']) {
    tree('plugins', join('plugins', part), join('plugins', part));
  }
  return found;
}

function addTree(
  found: Artefact[],
  {
    kind,
    root,
    from,
    to,
  }: { readonly kind: ArtefactKind; readonly root: string; readonly from: string; readonly to: string },
): void {
  const folder = join(root, from);
  for (const source of filesBelow(folder))
    found.push({ kind, root, source, target: join(to, relative(folder, source)), bytes: statSync(source).size });
}

/** Into the data of the plugin, as the migration of 1.4 did it; its other files are somebody else's. */
function addTracks(found: Artefact[], root: string, home: string): void {
  const tracks = gpxTracks(root);
  if (tracks === null || tracks.folder === join(home, GPX_TARGET)) return;
  const inRoot = tracks.folder.startsWith(join(root, '/'));
  for (const name of tracks.files) {
    const source = join(tracks.folder, name);
    const place = { root: inRoot ? root : tracks.folder, source, target: join(GPX_TARGET, name) };
    found.push({ kind: 'gpxtracker', ...place, bytes: statSync(source).size });
  }
}

/** Plain files; links are left where they are, since what they point to is not ours to move. */
function filesBelow(folder: string): string[] {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** The places of a database in a folder, of whatever version. */
export function databasesIn(root: string): string[] {
  return DATABASES.map((place) => join(root, place));
}

/** The files of a database that exist: itself and its side files. */
export function databaseFiles(path: string): string[] {
  return [path, ...SIDECARS.map((suffix) => path + suffix)].filter(
    (file) => statSync(file, { throwIfNoEntry: false })?.isFile() === true,
  );
}
