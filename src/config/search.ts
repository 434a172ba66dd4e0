import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { errorCode } from '../util/relay-error.ts';
import type { Env } from './env.ts';
import { expandPath, userHome } from './expand.ts';
import { type LoadedConfig, loadConfigFile, parseConfig } from './load.ts';
import { platformDataDir } from './platform-dir.ts';
import { fileProblem, type Problem } from './problems.ts';

export interface SearchOptions {
  /** `--config`; null when not given. */
  readonly cliPath: string | null;
  /** The resolved home. */
  readonly home: string;
  readonly env: Env;
  readonly cwd: string;
  readonly platform?: NodeJS.Platform;
}

export interface FoundConfig extends LoadedConfig {
  /** Every place that was looked at, in order. */
  readonly searched: readonly string[];
}

/**
 * The places a configuration may be, best first: `--config`, `MMRELAY_CONFIG`, the home, the working directory,
 * `~/.mmrelay`, the platform's data directory.
 */
export function configCandidates(options: SearchOptions): string[] {
  const { env, cwd, home, cliPath } = options;
  const platform = options.platform ?? process.platform;
  const named = [cliPath, env.MMRELAY_CONFIG ?? null]
    .filter((path) => path !== null && path.trim() !== '')
    .map((path) => expandPath(path ?? '', { env, cwd }));
  const folders = [home, cwd, join(userHome(env), '.mmrelay'), platformDataDir(env, platform)];
  return [...new Set([...named, ...folders.map((folder) => resolve(folder, 'config.yaml'))])];
}

/**
 * Finds and loads the configuration. A file that was named must be there; of the others the first one counts, even
 * when it is broken: nobody wants a relay that silently runs on another file. With no file, the environment alone
 * is tried.
 */
export function loadConfig(options: SearchOptions): FoundConfig {
  const searched = configCandidates(options);
  const named = (options.cliPath ?? options.env.MMRELAY_CONFIG ?? '').trim() !== '';
  const [first = ''] = searched;
  if (named) return { ...loadConfigFile(first, options.env), searched: [first] };
  const skipped: Problem[] = [];
  for (const path of searched) {
    const kind = kindOf(path);
    if (kind === 'absent') continue;
    if (kind === 'directory') {
      const remedy = 'Docker makes one of a missing mount';
      skipped.push(fileProblem(path, 'is a directory and skipped', { severity: 'warning', remedy }));
      continue;
    }
    const loaded = loadConfigFile(path, options.env);
    return { ...loaded, problems: [...skipped, ...loaded.problems], searched };
  }
  return { ...environmentOnly(options.env, searched, skipped), searched };
}

function environmentOnly(env: Env, searched: readonly string[], skipped: readonly Problem[]): LoadedConfig {
  const loaded = parseConfig({ text: '', file: null, env });
  if (loaded.config !== null) return { ...loaded, problems: [...skipped, ...loaded.problems] };
  const none = fileProblem(searched[0] ?? 'config.yaml', 'there is no configuration file', { remedy: HINT });
  // Without a file the missing keys are a consequence; what the environment has wrong is not.
  const own = loaded.problems.filter((problem) => problem.variable !== null);
  return { ...loaded, problems: [none, ...skipped, ...own] };
}

const HINT = 'run `mmrelay setup`, or `mmrelay config generate` and edit the file, or name one with --config';

function kindOf(path: string): 'file' | 'directory' | 'absent' {
  try {
    return statSync(path).isDirectory() ? 'directory' : 'file';
  } catch (error) {
    // Something we may not look at is there for all we know: loading it will say so.
    return ['ENOENT', 'ENOTDIR'].includes(errorCode(error)) ? 'absent' : 'file';
  }
}
