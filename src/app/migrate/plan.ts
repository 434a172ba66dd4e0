import { copyFileSync, existsSync, mkdtempSync, rmSync, statfsSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { inspectStore } from '../../store/inspect-store.ts';
import { sha256OfFile } from '../files.ts';
import { GPX_TARGET } from './gpx-tracks.ts';
import { type MovedFile, migrationFolder, type PutAside } from './manifest.ts';
import { type Artefact, databaseFiles, findArtefacts } from './sources.ts';

/** A file of ours that stands where an old one has to go. */
export interface Conflict {
  readonly source: string;
  readonly target: string;
}

export interface Plan {
  readonly files: readonly MovedFile[];
  readonly aside: readonly PutAside[];
  readonly conflicts: readonly Conflict[];
  /** What cannot be carried over, in plain words. */
  readonly notes: readonly string[];
  readonly bytes: number;
  /** Free bytes where the home is; null when that cannot be told. */
  readonly freeBytes: number | null;
}

export interface PlanOptions {
  readonly home: string;
  /** Folders named by the user; the home itself is always looked at. */
  readonly from: readonly string[];
  readonly stamp: string;
  readonly force: boolean;
}

/** What a migration would do. Reads only. */
export function makePlan(options: PlanOptions): Plan {
  const { home } = options;
  const roots = [home, ...options.from];
  const wanted = new Map<string, Artefact>();
  const aside: PutAside[] = [];
  for (const artefact of roots.flatMap((root) => withoutEmptyDatabases(findArtefacts(root, home)))) {
    const winner = wanted.get(artefact.target);
    if (winner === undefined) wanted.set(artefact.target, artefact);
    else aside.push(...putAside(artefact, options, `${winner.source} takes its place`));
  }
  const files: MovedFile[] = [];
  const conflicts: Conflict[] = [];
  for (const artefact of wanted.values()) {
    const decided = decide(artefact, options);
    if (decided === 'same') aside.push(...putAside(artefact, options, 'the same is there already'));
    else if (decided === 'in use') aside.push(...putAside(artefact, options, 'a newer one is in use'));
    else if (decided === 'conflict') conflicts.push({ source: artefact.source, target: join(home, artefact.target) });
    else files.push(...moved({ ...artefact, target: decided }, options));
  }
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return { files, aside, conflicts, notes: notesOf([...wanted.values()]), bytes, freeBytes: freeBytes(home) };
}

/** An empty database that some start made must not win over one with data (M9). */
function withoutEmptyDatabases(artefacts: readonly Artefact[]): readonly Artefact[] {
  const databases = artefacts.filter(({ kind }) => kind === 'database');
  const full = databases.filter(({ source }) => !isEmptyDatabase(source));
  if (full.length === 0) return artefacts;
  const empty = databases.filter((artefact) => !full.includes(artefact));
  // Full ones first: of several that claim one place the first wins.
  return [...artefacts.filter((artefact) => !databases.includes(artefact)), ...full, ...empty];
}

/** Tables without rows fit in less. */
const MAX_EMPTY_BYTES = 1024 * 1024;

function isEmptyDatabase(path: string): boolean {
  const files = databaseFiles(path);
  if (files.reduce((sum, file) => sum + statSync(file).size, 0) > MAX_EMPTY_BYTES) return false;
  // SQLite leaves side files beside what it reads: look at a copy.
  const folder = mkdtempSync(join(tmpdir(), 'mmrelay-plan-'));
  try {
    const copy = join(folder, 'copy.sqlite');
    for (const file of files) copyFileSync(file, copy + file.slice(path.length));
    const rows = inspectStore(copy, 'none')?.rows ?? {};
    return Object.entries(rows).every(([table, count]) => count === 0 || table === 'relay_values');
  } catch {
    return false; // damaged: it may hold data; verification will tell
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Where to; or that nothing, or nothing without --force, can be done. */
function decide(artefact: Artefact, options: PlanOptions): string | 'same' | 'in use' | 'conflict' {
  const { home, force, stamp } = options;
  const target = join(home, artefact.target);
  if (!existsSync(target)) return artefact.target;
  if (artefact.kind === 'database') {
    if (isEmptyDatabase(target)) return artefact.target;
    // Of two in the home the relay has used the one that is in place.
    if (artefact.source.startsWith(join(home, '/'))) return 'in use';
    return force ? artefact.target : 'conflict';
  }
  if (sha256OfFile(artefact.source) === sha256OfFile(target)) return 'same';
  if (artefact.kind === 'logs' || artefact.kind === 'gpxtracker')
    return artefact.target.replace(/(\.log|\.gpx)?(\.\d+)?$/, `_migrated_${stamp}$1$2`);
  return force || isOlderChoice(artefact, home) ? artefact.target : 'conflict';
}

/** The old layouts preferred `matrix/credentials.json`; so does this version, until it is migrated. */
function isOlderChoice({ kind, source }: Artefact, home: string): boolean {
  return kind === 'credentials' && source === join(home, 'matrix', 'credentials.json');
}

function moved(artefact: Artefact, options: PlanOptions): MovedFile[] {
  const { home, stamp } = options;
  const folder = join(migrationFolder(home), stamp);
  const one = (source: string, target: string, bytes: number): MovedFile => ({
    kind: artefact.kind,
    source,
    target: join(home, target),
    bytes,
    staged: join(folder, 'staging', target),
    retired: retiredPath(source, artefact.root, options),
    replaced: join(folder, 'replaced', target),
    sha256: null,
  });
  if (artefact.kind !== 'database') return [one(artefact.source, artefact.target, artefact.bytes)];
  return databaseFiles(artefact.source).map((path) => {
    const suffix = path.slice(artefact.source.length);
    return one(path, artefact.target + suffix, statSync(path).size);
  });
}

function putAside(artefact: Artefact, options: PlanOptions, why: string): PutAside[] {
  const files = artefact.kind === 'database' ? databaseFiles(artefact.source) : [artefact.source];
  return files.map((source) => ({ source, retired: retiredPath(source, artefact.root, options), why }));
}

/** Beside the data it belongs to, so that a rename is enough: in the home, or in the folder it came from. */
function retiredPath(source: string, root: string, { home, stamp }: PlanOptions): string {
  const base = root === home ? join(migrationFolder(home), stamp, 'retired') : join(root, `.migrated-${stamp}`);
  return join(base, relative(root, source));
}

function notesOf(artefacts: readonly Artefact[]): string[] {
  const notes: string[] = [];
  if (artefacts.some(({ kind, source }) => kind === 'store' && source.endsWith('.db'))) {
    notes.push(
      'Encryption keys of the Python relay cannot be used; they are kept. For encrypted rooms run `mmrelay auth login`.',
    );
  }
  if (artefacts.some(({ kind, source }) => kind === 'plugins' && source.endsWith('.py')))
    notes.push('Python plugins are kept as files but do not run here: docs/PLUGINS.md tells how to port one.');
  if (artefacts.some(({ kind }) => kind === 'gpxtracker')) {
    notes.push(
      `The tracks of gpxtracker go to ${GPX_TARGET}; gpx_directory in the configuration is left as it is, as the plugin is Python.`,
    );
  }
  return notes;
}

function freeBytes(home: string): number | null {
  for (let folder = home; ; folder = join(folder, '..')) {
    try {
      const { bavail, bsize } = statfsSync(folder);
      return bavail * bsize;
    } catch {
      if (folder === join(folder, '..')) return null; // not even the root can be asked
    }
  }
}
