import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { AppPaths, Sourced } from '../../config/paths.ts';
import { inspectStore } from '../../store/inspect-store.ts';
import { plural } from '../../util/plural.ts';
import { errorText } from '../../util/relay-error.ts';
import { readManifest } from './manifest.ts';
import { findArtefacts } from './sources.ts';

export interface VerifiedPath {
  readonly name: string;
  readonly path: string;
  readonly exists: boolean;
  readonly insideHome: boolean;
}

export interface Verification {
  readonly home: string;
  readonly artefacts: readonly VerifiedPath[];
  /** Files of older layouts, in the home and in folders named as sources. */
  readonly legacy: readonly string[];
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
  /** Folders of other installations: not ours to touch unless told. */
  readonly cleanup: readonly string[];
}

/**
 * Whether anything is left to migrate. A home that was never migrated, or has no credentials yet, is fine: whether the
 * relay can log in is a question for `auth status`.
 */
export function verifyMigration(paths: AppPaths): Verification {
  const home = paths.home.path;
  const legacy = findArtefacts(home, home).map(({ source }) => source);
  const manifest = readManifest(home);
  const errors: string[] = [];
  const warnings: string[] = [];
  if (manifest !== null && manifest.phase !== 'done' && manifest.phase !== 'undone') {
    errors.push('A migration was interrupted: run `mmrelay migrate` to finish it, or `mmrelay migrate --undo`');
  } else if (legacy.length > 0) {
    errors.push(`Legacy data exists and migration is still required: ${plural(legacy.length, 'file')} in ${home}`);
  }
  const damage = databaseDamage(paths.database.path);
  if (damage !== null) errors.push(damage);
  const artefacts = artefactsOf(paths);
  for (const { name, path, insideHome, exists } of artefacts)
    if (exists && !insideHome) warnings.push(`${name} is outside of the home, as configured: ${path}`);
  return { home, artefacts, legacy, errors, warnings, cleanup: paths.legacySources };
}

function artefactsOf(paths: AppPaths): VerifiedPath[] {
  const inHome = join(paths.home.path, '/');
  const one = (name: string, { path }: Sourced): VerifiedPath => ({
    name,
    path,
    exists: statSync(path, { throwIfNoEntry: false }) !== undefined,
    insideHome: path.startsWith(inHome),
  });
  return [
    one('credentials.json', paths.credentials),
    one('database', paths.database),
    one('e2ee store', paths.store),
    one('logs dir', paths.logs),
    one('plugins dir', paths.plugins),
  ];
}

function databaseDamage(path: string): string | null {
  if (!existsSync(path)) return null;
  try {
    const problems = inspectStore(path, 'quick')?.problems ?? [];
    return problems.length === 0 ? null : `The database is damaged: ${problems[0]}`;
  } catch (error) {
    return errorText(error);
  }
}
