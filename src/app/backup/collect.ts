import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import type { AppPaths } from '../../config/paths.ts';
import { settleDatabase } from '../../store/settle-database.ts';
import { snapshotFile } from '../../store/snapshot-file.ts';
import { type Clock, sleep } from '../../util/clock.ts';
import { RelayError } from '../../util/relay-error.ts';
import { CRYPTO_KEY_FILE, RECOVERY_KEY_FILE } from '../account/encryption.ts';
import { sha256OfFile } from '../files.ts';

/** What the archive says about itself, in its first file. */
export interface BackupManifest {
  readonly format: 1;
  readonly mmrelay: string;
  readonly created: string;
  readonly files: readonly { readonly name: string; readonly bytes: number; readonly sha256: string }[];
}

export interface CollectOptions {
  readonly paths: AppPaths;
  readonly configFile: string | null;
  /** An empty folder that takes the copies. */
  readonly folder: string;
  readonly clock: Clock;
}

const SIDECARS = ['-wal', '-shm', '-journal'] as const;
const TRIES = 40;
const PAUSE_MS = 50;

/**
 * Copies all that makes a relay into `folder`, in the layout of a home. First the database with its sync token, then the
 * keys: newer keys with an older token read everything again, older keys with a newer token would miss some.
 * @returns names of the copies
 */
export async function collect({ paths, configFile, folder, clock }: CollectOptions): Promise<string[]> {
  const names: string[] = [];
  const take = async (source: string, name: string): Promise<void> => {
    if (statSync(source, { throwIfNoEntry: false })?.isFile() !== true) return;
    const target = join(folder, name);
    mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
    if (isDatabase(source)) await copyDatabase(source, target, clock);
    else copyFileSync(source, target);
    names.push(name);
  };
  if (existsSync(paths.database.path)) {
    const name = join('database', 'meshtastic.sqlite');
    mkdirSync(join(folder, 'database'), { recursive: true, mode: 0o700 });
    await snapshotFile(paths.database.path, join(folder, name));
    names.push(name);
  }
  for (const source of below(paths.store.path)) await take(source, join('store', relative(paths.store.path, source)));
  const beside = dirname(paths.credentials.path);
  for (const name of [CRYPTO_KEY_FILE, RECOVERY_KEY_FILE]) await take(join(beside, name), name);
  await take(paths.credentials.path, 'credentials.json');
  if (configFile !== null) await take(configFile, 'config.yaml');
  for (const source of below(paths.plugins.path)) {
    if (!source.includes('/node_modules/')) await take(source, join('plugins', relative(paths.plugins.path, source)));
  }
  return names;
}

/** The list of what was collected, with hashes. */
export function manifestOf(
  names: readonly string[],
  about: { readonly folder: string; readonly version: string; readonly clock: Clock },
): BackupManifest {
  const files = names.map((name) => {
    const path = join(about.folder, name);
    return { name: name.split('\\').join('/'), bytes: statSync(path).size, sha256: sha256OfFile(path) };
  });
  return { format: 1, mmrelay: about.version, created: new Date(about.clock.now()).toISOString(), files };
}

/**
 * A database that somebody may hold with an exclusive lock: the file and its log are copied until neither changed
 * meanwhile, and the copy is then checked.
 */
async function copyDatabase(source: string, target: string, clock: Clock): Promise<void> {
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const before = stamps(source);
    for (const suffix of ['', ...SIDECARS]) {
      rmSync(target + suffix, { force: true });
      if (suffix !== '-shm' && existsSync(source + suffix)) copyFileSync(source + suffix, target + suffix);
    }
    if (stamps(source) === before) {
      settleDatabase(target);
      return;
    }
    await sleep(clock, PAUSE_MS);
  }
  throw new RelayError('STORE_BACKUP', `${basename(source)} is written to all the time: try again in a moment`);
}

function stamps(path: string): string {
  return ['', '-wal', '-journal']
    .map((suffix) => statSync(path + suffix, { throwIfNoEntry: false }))
    .map((stat) => (stat === undefined ? '-' : `${stat.size}/${stat.mtimeMs}/${stat.ino}`))
    .join(' ');
}

function isDatabase(path: string): boolean {
  const head = Buffer.alloc(15);
  const file = openSync(path, 'r');
  try {
    readSync(file, head, 0, head.length, 0);
  } finally {
    closeSync(file);
  }
  return head.toString('latin1') === 'SQLite format 3';
}

function below(folder: string): string[] {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && !SIDECARS.some((suffix) => entry.name.endsWith(suffix)))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
