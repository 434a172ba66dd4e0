import {
  closeSync,
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { acquireLock } from '../../observe/process-lock.ts';
import { inspectStore } from '../../store/inspect-store.ts';
import type { Clock } from '../../util/clock.ts';
import { errorText, RelayError } from '../../util/relay-error.ts';
import { moveFile, sha256OfFile } from '../files.ts';
import type { BackupManifest } from './collect.ts';
import { MAGIC, unseal } from './seal.ts';
import { readTar } from './tar.ts';

export interface RestoreOptions {
  readonly archive: string;
  readonly home: string;
  readonly password: string | null;
  readonly clock: Clock;
  /** Only look whether the archive is good. */
  readonly checkOnly: boolean;
}

export interface RestoreResult {
  readonly manifest: BackupManifest;
  /** Where the files went that were in the home; null when there were none. */
  readonly kept: string | null;
}

/**
 * Puts a backup into a home. The archive is unpacked beside it and verified, hash by hash and page by page, before any
 * file of the home is touched; what was there is kept.
 * @throws RelayError STORE_BACKUP for a bad archive, STORE_IN_USE beside a running relay
 */
export async function restoreBackup(options: RestoreOptions): Promise<RestoreResult> {
  const { home, clock, checkOnly } = options;
  const stamp = new Date(clock.now()).toISOString().replace(/[-:]|\.\d+/g, '');
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const folder = mkdtempSync(join(home, '.restore-'));
  try {
    await unpack(options, folder);
    const manifest = verify(folder);
    if (checkOnly) return { manifest, kept: null };
    const lock = acquireLock({ path: join(home, 'mmrelay.lock'), clock });
    if (!lock.ok)
      throw new RelayError('STORE_IN_USE', `The relay is running (pid ${lock.owner.pid}): stop it before a restore`);
    try {
      return { manifest, kept: place(manifest, { folder, home, kept: join(home, `.before-restore-${stamp}`) }) };
    } finally {
      lock.lock.release();
    }
  } catch (error) {
    if (error instanceof RelayError) throw error;
    throw new RelayError('STORE_BACKUP', `${options.archive} cannot be restored: ${errorText(error)}`, {
      cause: error,
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function unpack({ archive, password }: RestoreOptions, folder: string): Promise<void> {
  let plain = archive;
  if (isSealed(archive)) {
    if (password === null) throw new RelayError('STORE_BACKUP', `${archive} is encrypted: give --password-file`);
    // To a file first: nothing of it may be believed before its last byte is checked.
    const opened = join(folder, '.opened');
    const sealed = createReadStream(archive);
    await pipeline(Readable.from(unseal(sealed, password)), createWriteStream(opened, { mode: 0o600 }));
    plain = opened;
  }
  const unzipped = createGunzip();
  const feeding = pipeline(createReadStream(plain), unzipped);
  await Promise.all([feeding, readTar(unzipped, { onFile: (name) => fileWriter(folder, name) })]);
}

function isSealed(archive: string): boolean {
  const head = Buffer.alloc(MAGIC.length);
  const file = openSync(archive, 'r');
  try {
    readSync(file, head, 0, head.length, 0);
  } finally {
    closeSync(file);
  }
  return head.equals(MAGIC);
}

/** Where a backup may put files; nothing else of an archive is believed. */
const PLACES =
  /^(?:backup\.json|config\.yaml|credentials\.json|crypto\.key|recovery-key\.txt|(?:database|store|plugins)\/.+)$/;

function fileWriter(folder: string, name: string): { write(bytes: Uint8Array): void; end(): void } {
  if (!PLACES.test(name) || name.split('/').some((part) => part === '..' || part === ''))
    throw new RelayError('STORE_BACKUP', `the archive holds ${JSON.stringify(name)}, which no backup does`);
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const file = openSync(path, 'wx', 0o600);
  return {
    write: (bytes) => {
      for (let done = 0; done < bytes.byteLength; ) done += writeSync(file, bytes, done);
    },
    end: () => closeSync(file),
  };
}

function verify(folder: string): BackupManifest {
  const path = join(folder, 'backup.json');
  if (!existsSync(path)) throw new RelayError('STORE_BACKUP', 'it is not an archive of `mmrelay backup`');
  const manifest = JSON.parse(readFileSync(path, 'utf8')) as BackupManifest;
  if (manifest.format !== 1) throw new RelayError('STORE_BACKUP', 'it was made by a newer mmrelay');
  for (const { name, sha256 } of manifest.files) {
    const file = join(folder, name);
    if (!PLACES.test(name) || !existsSync(file) || sha256OfFile(file) !== sha256)
      throw new RelayError('STORE_BACKUP', `${name} is damaged in the archive`);
  }
  const [damage] = inspectStore(join(folder, 'database', 'meshtastic.sqlite'), 'full')?.problems ?? [];
  if (damage !== undefined) throw new RelayError('STORE_BACKUP', `the database in the archive is damaged: ${damage}`);
  return manifest;
}

function place(
  manifest: BackupManifest,
  { folder, home, kept }: { readonly folder: string; readonly home: string; readonly kept: string },
): string | null {
  let any = false;
  const keep = (name: string): void => {
    if (!existsSync(join(home, name))) return;
    any = true;
    moveFile(join(home, name), join(kept, name));
  };
  for (const { name } of manifest.files) {
    for (const suffix of ['-wal', '-shm', '-journal']) keep(name + suffix);
    keep(name);
    moveFile(join(folder, name), join(home, name));
  }
  // Places that an older layout would prefer to the restored files.
  keep(join('matrix', 'credentials.json'));
  return any ? kept : null;
}
