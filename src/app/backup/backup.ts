import { createWriteStream, existsSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { AppPaths } from '../../config/paths.ts';
import type { Clock } from '../../util/clock.ts';
import { writeFileDurably } from '../../util/durable-file.ts';
import { errorText, RelayError } from '../../util/relay-error.ts';
import { syncFile } from '../files.ts';
import { VERSION } from '../version.ts';
import { collect, manifestOf } from './collect.ts';
import { seal } from './seal.ts';
import { tarOf } from './tar.ts';

export interface BackupOptions {
  readonly paths: AppPaths;
  readonly configFile: string | null;
  readonly output: string;
  /** null: not encrypted. */
  readonly password: string | null;
  readonly clock: Clock;
}

export interface BackupResult {
  readonly output: string;
  readonly bytes: number;
  readonly files: readonly string[];
}

/**
 * Writes one archive of database, keys, credentials, configuration and plugins, also while the relay runs. It appears
 * under its name only when it is complete.
 * @throws RelayError STORE_BACKUP, STORE_*
 */
export async function makeBackup(options: BackupOptions): Promise<BackupResult> {
  const { output, password, clock } = options;
  if (existsSync(output)) throw new RelayError('STORE_BACKUP', `${output} exists already; choose another name`);
  const folder = workFolder(dirname(output));
  const temporary = `${output}.${process.pid}.part`;
  try {
    const names = await collect({ ...options, folder });
    if (names.length === 0)
      throw new RelayError('STORE_BACKUP', `There is nothing to back up in ${options.paths.home.path}`);
    const manifest = manifestOf(names, { folder, version: VERSION, clock });
    writeFileDurably(join(folder, 'backup.json'), `${JSON.stringify(manifest, null, 2)}\n`);
    const entries = ['backup.json', ...names].map((name) => ({ name, path: join(folder, name) }));
    const zipped = Readable.from(tarOf(entries)).pipe(createGzip());
    const content = password === null ? zipped : Readable.from(seal(zipped, password));
    await pipeline(content, createWriteStream(temporary, { mode: 0o600, flags: 'wx' }));
    syncFile(temporary);
    renameSync(temporary, output);
    return { output, bytes: statSync(output).size, files: names };
  } catch (error) {
    rmSync(temporary, { force: true });
    if (error instanceof RelayError) throw error;
    throw new RelayError('STORE_BACKUP', `The backup could not be written: ${errorText(error)}`, { cause: error });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Beside the archive: there is where room for it must be. */
function workFolder(parent: string): string {
  try {
    return mkdtempSync(join(parent, '.mmrelay-backup-'));
  } catch (error) {
    throw new RelayError('STORE_BACKUP', `${parent} cannot be written: ${errorText(error)}`);
  }
}
