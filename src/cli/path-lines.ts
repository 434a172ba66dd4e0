import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Env, processEnv } from '../config/env.ts';
import type { AppPaths, Sourced } from '../config/paths.ts';

const VARIABLES = [
  'MMRELAY_HOME',
  'MMRELAY_BASE_DIR',
  'MMRELAY_DATA_DIR',
  'MMRELAY_CREDENTIALS_PATH',
  'MMRELAY_DATABASE_PATH',
  'MMRELAY_LOG_PATH',
  'MMRELAY_LOG_FILE',
  'MMRELAY_READY_FILE',
  'MMRELAY_CONFIG',
] as const;

export interface PathView {
  readonly paths: AppPaths;
  /** The configuration in use; null: none found. */
  readonly configFile: string | null;
}

/** The blocks of `mmrelay paths`, which `doctor` shows as well: every path as it is in effect. */
export function pathLines({ paths, configFile }: PathView): string[] {
  const { home } = paths;
  return [
    '',
    '📍 HOME Directory:',
    `   Location: ${home.path}`,
    `   Source: ${home.source}`,
    '',
    `📁 Runtime Artifacts${allInHome(paths) ? ' (all in HOME)' : ''}:`,
    `   Config: ${configFile ?? '(none found)'}`,
    `   Credentials: ${effective(paths.credentials)}`,
    `   Database: ${effective(paths.database)}`,
    `   Store (E2EE): ${effective(paths.store)}`,
    `   Logs: ${effective(paths.logs)}`,
    `   Log File: ${effective(paths.logFile)}`,
    `   Ready File: ${paths.readyFile === null ? '(off)' : effective(paths.readyFile)}`,
    '',
    '📦 Plugins:',
    `   Plugins: ${paths.plugins.path}`,
    `   Custom: ${paths.customPlugins.path}`,
    `   Community: ${paths.communityPlugins.path}`,
    '',
    '📋 Legacy Sources (read-only):',
    ...listed(paths.legacySources),
    ...oldLayout(paths),
    '',
    '🔧 Environment Variables:',
    ...variableLines(processEnv()),
    '',
    '⚙️  CLI Override:',
    `   ${/^CLI \((.*)\)$/.exec(home.source)?.[1] ?? 'None'}`,
  ];
}

function effective({ path, source }: Sourced): string {
  return source === 'home' ? path : `${path}  [${source}]`;
}

function allInHome(paths: AppPaths): boolean {
  const { home, credentials, database, store, logFile } = paths;
  return [credentials, database, store, logFile].every(({ path }) => path.startsWith(join(home.path, '/')));
}

function listed(folders: readonly string[]): string[] {
  return folders.length === 0 ? ['   (none detected)'] : folders.map((folder) => `   - ${folder}`);
}

/** What 1.2 kept at the root of the home and this version keeps there too is not old: only what lies elsewhere. */
function oldLayout({ oldLayout: places }: AppPaths): string[] {
  const present = places.filter((path) => existsSync(path));
  if (present.length === 0) return [];
  return ['', '📂 Older Layout in HOME (used where it is):', ...present.map((path) => `   ⚠️  ${path}`)];
}

function variableLines(env: Env): string[] {
  const set = VARIABLES.filter((name) => (env[name] ?? '').trim() !== '');
  return set.length === 0 ? ['   (none detected)'] : set.map((name) => `   ${name}=${env[name] ?? ''}`);
}
