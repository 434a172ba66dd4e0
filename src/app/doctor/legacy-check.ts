import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Env } from '../../config/env.ts';
import { userHome } from '../../config/expand.ts';
import type { AppPaths } from '../../config/paths.ts';
import { asObject } from '../../matrix/json-read.ts';
import { plural } from '../../util/plural.ts';
import { errorText } from '../../util/relay-error.ts';
import { readManifest } from '../migrate/manifest.ts';
import { findArtefacts } from '../migrate/sources.ts';
import { unitPath } from '../service/install.ts';
import { startsPython } from '../service/unit.ts';
import { type Finding, findingsOf } from './finding.ts';

/** What older versions left: in this home, in other folders, with systemd. */
export function checkLegacy(paths: AppPaths, env: Env): Finding[] {
  const home = paths.home.path;
  const finding = findingsOf('migration');
  try {
    const findings = [...unfinished(home), ...waiting(paths), ...others(paths, env), ...uselessHere(home, env)];
    return findings.length === 0 ? [finding('ok', 'none needed')] : findings;
  } catch (error) {
    return [finding('warning', errorText(error), 'run doctor as the user that runs the relay')];
  }
}

function unfinished(home: string): Finding[] {
  const phase = readManifest(home)?.phase ?? 'done';
  if (phase === 'done' || phase === 'undone') return [];
  const remedy = 'run `mmrelay migrate` to finish it, or `mmrelay migrate --undo`';
  return [findingsOf('migration')('warning', 'a migration was interrupted', remedy)];
}

function waiting({ home, oldLayout }: AppPaths): Finding[] {
  const finding = findingsOf('migration');
  const used = oldLayout.filter((path) => existsSync(path));
  const unused = findArtefacts(home.path, home.path).filter(
    ({ source }) => !used.some((path) => source === path || source.startsWith(join(path, '/'))),
  );
  const words = [
    ...used.map((path) => `${path} lies where an older version kept it, and is used there`),
    ...unused.map(({ source }) => `${source} is of an older version, and not used`),
  ];
  const remedy = 'look with `mmrelay migrate --dry-run`, then `mmrelay migrate`';
  return words.map((text, index) => finding('info', text, index === words.length - 1 ? remedy : undefined));
}

function others({ home, credentials, legacySources }: AppPaths, env: Env): Finding[] {
  const finding = findingsOf('migration');
  const found = legacySources.map((folder) =>
    finding(
      'info',
      `${folder} holds data of another installation`,
      `if that is the old relay: \`mmrelay migrate --from ${folder} --dry-run\``,
    ),
  );
  const stray = join(userHome(env), 'credentials.json');
  if (stray === credentials.path || stray === join(home.path, 'credentials.json') || !isSession(stray)) return found;
  return [
    ...found,
    finding('info', `${stray} looks like a session of an early relay`, `move it to ${credentials.path}`),
  ];
}

/** What only the Python relay could use. */
function uselessHere(home: string, env: Env): Finding[] {
  const finding = findingsOf('migration');
  const findings: Finding[] = [];
  const remains = ['', 'database', 'matrix', 'plugins']
    .flatMap((part) =>
      ['.migration_staging', '.migration_backups', '.migration.lock'].map((name) => join(home, part, name)),
    )
    .filter((path) => existsSync(path));
  for (const path of remains)
    findings.push(finding('info', `${path} was left by the migration of 1.4`, 'delete it when you are sure'));
  const python = ['custom', 'community'].flatMap((tier) => pythonPlugins(join(home, 'plugins', tier)));
  if (python.length > 0) {
    const words = `${plural(python.length, 'Python plugin')} cannot run here: ${python.join(', ')}`;
    findings.push(finding('info', words, 'docs/PLUGINS.md has the core plugins, and how to port one'));
  }
  const unit = unitPath('user', env);
  if (existsSync(unit) && startsPython(readFileSync(unit, 'utf8')))
    findings.push(finding('warning', `${unit} starts the Python relay`, 'run `mmrelay service migrate`'));
  return findings;
}

function pythonPlugins(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && hasPython(join(folder, entry.name)))
    .map(({ name }) => name);
}

function hasPython(folder: string): boolean {
  const names = readdirSync(folder);
  return names.some((name) => name.endsWith('.py')) && !names.some((name) => /\.(?:js|mjs|ts)$/.test(name));
}

function isSession(path: string): boolean {
  try {
    const value = asObject(JSON.parse(readFileSync(path, 'utf8')));
    return typeof value.homeserver === 'string' && typeof value.access_token === 'string';
  } catch {
    return false; // absent, or somebody else's file
  }
}
