import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { AppPaths } from '../../config/paths.ts';
import type { FoundConfig } from '../../config/search.ts';
import { plural } from '../../util/plural.ts';
import { errorCode, errorText } from '../../util/relay-error.ts';
import { CRYPTO_KEY_FILE } from '../account/encryption.ts';
import { type Finding, findingsOf } from './finding.ts';

/** The configuration, by the validator that a start uses. */
export function checkConfig(found: FoundConfig): Finding[] {
  const finding = findingsOf('config');
  const count = (severity: string): number => found.problems.filter((problem) => problem.severity === severity).length;
  const [errors, warnings] = [count('error'), count('warning')];
  const where = found.file ?? 'no file, the environment alone';
  if (found.file === null && errors === 1)
    return [finding('error', 'there is no configuration file', 'run `mmrelay setup`, or `mmrelay config generate`')];
  if (errors > 0 || found.config === null) {
    return [
      finding('error', `${where}: ${plural(errors, 'error')}`, 'run `mmrelay config check`, which names each of them'),
    ];
  }
  if (warnings > 0)
    return [finding('warning', `${where}: ${plural(warnings, 'warning')}`, 'run `mmrelay config check`')];
  return [finding('ok', `${where}: valid`)];
}

/** Home folder, and modes of what is secret in it. */
export function checkHome(paths: AppPaths): Finding[] {
  const finding = findingsOf('home');
  const home = paths.home.path;
  const findings: Finding[] = [];
  const stat = statSync(home, { throwIfNoEntry: false });
  if (stat === undefined) findings.push(finding('info', `${home} is not there yet; the first start creates it`));
  else if (!stat.isDirectory()) findings.push(finding('error', `${home} is not a folder`, 'name another with --home'));
  else findings.push(checkWritable(home));
  const key = join(dirname(paths.credentials.path), CRYPTO_KEY_FILE);
  for (const file of [paths.credentials.path, key, paths.database.path]) {
    const mode = statSync(file, { throwIfNoEntry: false })?.mode;
    if (mode !== undefined && (mode & 0o007) !== 0 && process.platform !== 'win32')
      findings.push(finding('warning', `${file} can be read by every user of this machine`, `chmod 600 ${file}`));
  }
  return findings;
}

const GB = 1024 ** 3;

/** Free space where the home is, or will be. */
export function checkDisk(home: string): Finding[] {
  const finding = findingsOf('disk');
  try {
    const { bavail, blocks, bsize } = statfsSync(nearestExisting(home));
    const free = (bavail * bsize) / GB;
    const total = (blocks * bsize) / GB;
    const used = total === 0 ? 0 : Math.round(100 - (free / total) * 100);
    const text = `${free.toFixed(1)} GB free of ${total.toFixed(1)} GB (${used}% used)`;
    if (free >= 1) return [finding('ok', text)];
    const remedy = 'make room: a full disk stops the relay from taking messages';
    return [finding(free >= 0.1 ? 'warning' : 'error', text, remedy)];
  } catch (error) {
    return [finding('warning', `the free space cannot be read: ${errorText(error)}`)];
  }
}

function checkWritable(home: string): Finding {
  const finding = findingsOf('home');
  try {
    accessSync(home, constants.W_OK | constants.X_OK);
    return finding('ok', `${home} can be written`);
  } catch (error) {
    if (errorCode(error) === 'EROFS')
      return finding(
        'error',
        `${home} is on a read-only file system`,
        'mount it writable, or name another with --home',
      );
    return finding('error', `${home} cannot be written by this user`, 'chown it to the user that runs the relay');
  }
}

function nearestExisting(path: string): string {
  let folder = path;
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}
