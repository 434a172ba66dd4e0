import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { settleDatabase } from '../../store/settle-database.ts';
import { syncFolder } from '../../util/durable-file.ts';
import { RelayError } from '../../util/relay-error.ts';
import { moveFile, sha256OfFile, syncFile } from '../files.ts';
import { type Manifest, type MovedFile, migrationFolder, writeManifest } from './manifest.ts';
import { SIDECARS } from './sources.ts';

/** Called before each step that changes something; tests end the process there. */
export type OnStep = (step: string) => void;

/**
 * Carries a migration to its end from wherever it stands: every step looks first whether it was done before, so that
 * the process may be killed at any instant and run again.
 * @throws RelayError STORE_MIGRATION when a copy does not equal its source; nothing of the home was changed then
 */
export function applyMigration(start: Manifest, onStep: OnStep): Manifest {
  let manifest = start;
  if (manifest.phase === 'planned') manifest = stageAll(manifest, onStep);
  if (manifest.phase === 'staged') manifest = switchAll(manifest, onStep);
  if (manifest.phase === 'switched') manifest = retireAll(manifest, onStep);
  return manifest;
}

/** Copies everything, verifies every copy. The sources and the home are as before. */
function stageAll(manifest: Manifest, onStep: OnStep): Manifest {
  for (const file of manifest.files) {
    onStep(`copy ${file.source}`);
    stageFile(file);
  }
  onStep('check the database');
  const main = mainDatabase(manifest.files);
  const rows = main === undefined ? {} : settleDatabase(main.staged);
  if (main !== undefined) syncFile(main.staged);
  const files = manifest.files.map((file) => ({
    ...file,
    sha256: existsSync(file.staged) ? sha256OfFile(file.staged) : null,
  }));
  const staged: Manifest = { ...manifest, phase: 'staged', files, rows };
  onStep('note: all copies are good');
  writeManifest(staged);
  return staged;
}

function stageFile({ source, staged }: MovedFile): void {
  const temporary = `${staged}.part`;
  mkdirSync(dirname(staged), { recursive: true, mode: 0o700 });
  rmSync(temporary, { force: true });
  copyFileSync(source, temporary);
  syncFile(temporary);
  if (sha256OfFile(temporary) !== sha256OfFile(source)) {
    throw new RelayError('STORE_MIGRATION', `${source} changed while it was copied: stop whatever uses it`);
  }
  renameSync(temporary, staged);
  syncFolder(dirname(staged));
}

/** Puts the copies in place; what stood there goes to the backup. */
function switchAll(manifest: Manifest, onStep: OnStep): Manifest {
  for (const file of manifest.files) {
    onStep(`put ${file.target}`);
    switchFile(file);
  }
  const main = mainDatabase(manifest.files);
  if (main !== undefined && sha256OfFile(main.target) !== main.sha256) throw changed(main.target);
  const switched: Manifest = { ...manifest, phase: 'switched' };
  onStep('note: everything is in place');
  writeManifest(switched);
  return switched;
}

function switchFile(file: MovedFile): void {
  // Side files of a database went into its one file when the copy was checked.
  if (file.sha256 === null) return;
  if (!existsSync(file.staged)) {
    if (existsSync(file.target) && sha256OfFile(file.target) === file.sha256) return;
    throw changed(file.target);
  }
  const inTheWay = file.kind === 'database' ? ['', ...SIDECARS] : [''];
  for (const suffix of inTheWay) {
    if (existsSync(file.target + suffix) && !existsSync(file.replaced + suffix))
      moveFile(file.target + suffix, file.replaced + suffix);
  }
  moveFile(file.staged, file.target);
}

/** Only now the old files leave their places, for the backup. */
function retireAll(manifest: Manifest, onStep: OnStep): Manifest {
  for (const { source, retired } of [...manifest.files, ...manifest.aside]) {
    if (!existsSync(source) || existsSync(retired)) continue;
    // What was put in place there is the new file, not the old one.
    if (manifest.files.some(({ target }) => target === source)) continue;
    onStep(`retire ${source}`);
    moveFile(source, retired);
  }
  for (const { source } of manifest.files) removeEmptyFolders(dirname(source), manifest.home);
  rmSync(join(migrationFolder(manifest.home), manifest.stamp, 'staging'), { recursive: true, force: true });
  const done: Manifest = { ...manifest, phase: 'done' };
  onStep('note: done');
  writeManifest(done);
  return done;
}

/** Folders that only held what was moved. Never the home itself, nor anything above a named source. */
function removeEmptyFolders(folder: string, home: string): void {
  for (let path = folder; path.startsWith(join(home, '/')); path = dirname(path)) {
    if (!existsSync(path)) continue;
    if (readdirSync(path).length > 0) return;
    rmdirSync(path);
  }
}

function mainDatabase(files: readonly MovedFile[]): MovedFile | undefined {
  return files.find(({ kind, source }) => kind === 'database' && !SIDECARS.some((suffix) => source.endsWith(suffix)));
}

function changed(path: string): RelayError {
  return new RelayError(
    'STORE_MIGRATION',
    `${path} was changed by somebody else in the middle of the migration: run \`mmrelay migrate --undo\``,
  );
}

/**
 * Puts everything back: sources to their places, what was replaced as well. What stands at the targets now (it may hold
 * newer data) is kept in `undone`. Safe to repeat.
 */
export function undoMigration(manifest: Manifest, onStep: OnStep): Manifest {
  const undone = join(migrationFolder(manifest.home), manifest.stamp, 'undone');
  for (const file of manifest.files) {
    const { source, retired, target, replaced } = file;
    const suffixes = file.kind === 'database' ? ['', ...SIDECARS] : [''];
    const wasSwitched = !existsSync(file.staged) && file.sha256 !== null && manifest.phase !== 'planned';
    for (const suffix of suffixes) {
      const kept = join(undone, `${target.slice(manifest.home.length + 1)}${suffix}`);
      if (wasSwitched && existsSync(target + suffix) && !existsSync(kept) && target !== source) {
        onStep(`take away ${target}${suffix}`);
        moveFile(target + suffix, kept);
      }
      if (existsSync(replaced + suffix) && !existsSync(target + suffix)) {
        onStep(`give back ${target}${suffix}`);
        moveFile(replaced + suffix, target + suffix);
      }
    }
    giveBack(source, retired, onStep);
  }
  for (const { source, retired } of manifest.aside) giveBack(source, retired, onStep);
  rmSync(join(migrationFolder(manifest.home), manifest.stamp, 'staging'), { recursive: true, force: true });
  const back: Manifest = { ...manifest, phase: 'undone' };
  onStep('note: undone');
  writeManifest(back);
  return back;
}

function giveBack(source: string, retired: string, onStep: OnStep): void {
  if (!existsSync(retired) || existsSync(source)) return;
  onStep(`give back ${source}`);
  moveFile(retired, source);
}
