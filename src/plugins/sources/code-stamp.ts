import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** What is no code of the plugin's own: its data, and packages, which come with its lockfile. */
const NO_CODE = new Set(['data', 'node_modules', '.git']);
/** More is no plugin somebody edits. */
const MAX_FILES = 1_000;

/** Differs when a file of a plugin was changed, added or taken away: of its folder, or its only file. '' when there is none. */
export function codeStamp(path: string): string {
  return filesOf(path).slice(0, MAX_FILES).map(stampOf).join('\n');
}

/** The commit of a checkout; '' when there is none. */
export function commitStamp(checkout: string): string {
  try {
    return readFileSync(join(checkout, '.git', 'HEAD'), 'utf8').trim();
  } catch {
    return ''; // not fetched yet
  }
}

function filesOf(path: string): readonly string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter(({ name }) => !NO_CODE.has(name))
      .flatMap((entry) => (entry.isDirectory() ? filesOf(join(path, entry.name)) : [join(path, entry.name)]))
      .sort();
  } catch {
    return [path]; // one file, or none
  }
}

function stampOf(file: string): string {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat === undefined ? '' : `${file} ${stat.mtimeMs} ${stat.size} ${stat.ino}`;
}
