import { accessSync, constants } from 'node:fs';
import { processEnv } from '../config/env.ts';
import { type AppPaths, type PathFlags, resolvePaths } from '../config/paths.ts';
import { renderProblems } from '../config/problems.ts';
import { type FoundConfig, loadConfig } from '../config/search.ts';
import type { RelayConfig } from '../config/types.ts';
import { errorCode, RelayError } from '../util/relay-error.ts';

/** Options that every command understands, before or after its name. */
export interface GlobalFlags extends PathFlags {
  readonly config?: string | undefined;
  readonly logLevel?: 'error' | 'warning' | 'info' | 'debug' | undefined;
}

export interface LoadedSetup {
  readonly config: RelayConfig;
  readonly paths: AppPaths;
  readonly found: FoundConfig;
}

/** The home, checked. @throws RelayError CONFIG_HOME_FORBIDDEN, CONFIG_HOME_UNREADABLE */
export function homePaths(flags: GlobalFlags, found?: FoundConfig): AppPaths {
  const paths = resolvePaths({
    cli: flags,
    env: processEnv(),
    cwd: process.cwd(),
    config: found?.config ?? null,
    configFile: found?.file ?? null,
  });
  if (paths.home.forbidden !== null) throw new RelayError('CONFIG_HOME_FORBIDDEN', paths.home.forbidden);
  refuseForeignHome(paths.home.path);
  return paths;
}

/** What cannot be looked into seems empty: "not logged in" would be untrue of another user's home. */
function refuseForeignHome(home: string): void {
  try {
    accessSync(`${home}/.`, constants.R_OK | constants.X_OK); // with the dot no file passes for a folder
  } catch (error) {
    if (errorCode(error) !== 'EACCES') return; // not there yet, or no folder
    const text = `${home} belongs to another user: run this as that one, for example with sudo -u mmrelay`;
    throw new RelayError('CONFIG_HOME_UNREADABLE', text);
  }
}

/** Finds and reads the configuration without judging it. */
export function findConfig(flags: GlobalFlags): FoundConfig {
  const { home } = homePaths(flags);
  return loadConfig({ cliPath: flags.config ?? null, home: home.path, env: processEnv(), cwd: process.cwd() });
}

/** Configuration and paths. Warnings go to stderr. @throws RelayError CONFIG_INVALID naming every problem */
export function loadSetup(flags: GlobalFlags): LoadedSetup {
  const found = findConfig(flags);
  const lines = renderProblems(found.problems.filter(({ severity }) => severity !== 'note'));
  if (found.config === null) throw new RelayError('CONFIG_INVALID', lines.join('\n'));
  for (const line of lines) console.error(line);
  return { config: found.config, paths: homePaths(flags, found), found };
}
