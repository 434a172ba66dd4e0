import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileDurably } from '../../util/durable-file.ts';
import { errorText, RelayError } from '../../util/relay-error.ts';
import type { ArtefactKind } from './sources.ts';

/**
 * How far a migration is. planned: copies are being made. staged: all copies are made and verified, they are being put
 * in place. switched: everything is in place, the sources are being retired.
 */
export type Phase = 'planned' | 'staged' | 'switched' | 'done' | 'undone';

/** One file to bring over. Paths are absolute. */
export interface MovedFile {
  readonly kind: ArtefactKind;
  readonly source: string;
  readonly target: string;
  readonly bytes: number;
  /** Where its verified copy waits. */
  readonly staged: string;
  /** Where the source goes in the end. */
  readonly retired: string;
  /** Where a file goes that is in the way at the target. */
  readonly replaced: string;
  /** SHA-256 of the verified copy, hex; null until it is made. */
  readonly sha256: string | null;
}

/** A file that a better one takes the place of: it is only put aside. */
export interface PutAside {
  readonly source: string;
  readonly retired: string;
  readonly why: string;
}

export interface Manifest {
  readonly version: 1;
  readonly home: string;
  /** Names staging and backup folders. */
  readonly stamp: string;
  readonly phase: Phase;
  readonly files: readonly MovedFile[];
  readonly aside: readonly PutAside[];
  /** Rows per table of the migrated database. */
  readonly rows: Readonly<Record<string, number>>;
}

export function migrationFolder(home: string): string {
  return join(home, '.migration');
}

/** The latest migration of a home; null when there was none. @throws RelayError STORE_MIGRATION for a damaged manifest */
export function readManifest(home: string): Manifest | null {
  const path = join(migrationFolder(home), 'manifest.json');
  if (!existsSync(path)) return null;
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (isManifest(value)) return value;
  } catch (error) {
    throw damaged(path, errorText(error));
  }
  throw damaged(path, 'it is not a manifest of this version');
}

/** Replaces the manifest in one step; on disk when this returns. */
export function writeManifest(manifest: Manifest): void {
  const folder = migrationFolder(manifest.home);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileDurably(join(folder, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

function isManifest(value: unknown): value is Manifest {
  return (
    typeof value === 'object' &&
    value !== null &&
    Reflect.get(value, 'version') === 1 &&
    Array.isArray(Reflect.get(value, 'files')) &&
    Array.isArray(Reflect.get(value, 'aside')) &&
    typeof Reflect.get(value, 'home') === 'string' &&
    typeof Reflect.get(value, 'stamp') === 'string' &&
    ['planned', 'staged', 'switched', 'done', 'undone'].includes(String(Reflect.get(value, 'phase')))
  );
}

function damaged(path: string, why: string): RelayError {
  return new RelayError('STORE_MIGRATION', `${path} cannot be read (${why}): put it aside, and look into its folder`);
}
