import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RETRY_LATER, RelayError } from '../../util/relay-error.ts';

export interface RequirementsOptions {
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Packages from git, files or addresses of their own. */
  readonly allowUntrusted: boolean;
}

const TIMEOUT_MS = 600_000;
const REGISTRY = 'https://registry.npmjs.org/';

/**
 * Installs what a plugin depends on, by its lockfile and without running anything of the packages.
 * @throws RelayError PLUGIN_REQUIREMENTS
 */
export async function installRequirements({ folder, env, allowUntrusted }: RequirementsOptions): Promise<void> {
  if (!existsSync(join(folder, 'package.json'))) return;
  const lockfile = join(folder, 'package-lock.json');
  if (!existsSync(lockfile)) {
    if (!hasDependencies(join(folder, 'package.json'))) return;
    throw new RelayError('PLUGIN_REQUIREMENTS', `${folder} has no package-lock.json: what it depends on is not fixed`);
  }
  const foreign = allowUntrusted ? [] : foreignPackages(lockfile, env.npm_config_registry ?? REGISTRY);
  if (foreign.length > 0)
    throw new RelayError(
      'PLUGIN_REQUIREMENTS',
      `${folder} depends on packages from outside the registry (${foreign.join(', ')}); security.allow_untrusted_dependencies would take them`,
    );
  await npmCi(folder, env);
}

function npmCi(folder: string, env: RequirementsOptions['env']): Promise<void> {
  const args = ['ci', '--ignore-scripts', '--omit=dev', '--no-audit', '--no-fund', '--no-update-notifier'];
  return new Promise((resolve, reject) => {
    execFile('npm', args, { cwd: folder, env: { ...env }, timeout: TIMEOUT_MS }, (error, _stdout, stderr) => {
      if (error === null) resolve();
      else {
        const said = reasonOf(stderr) ?? error.message;
        reject(
          new RelayError('PLUGIN_REQUIREMENTS', `npm ci failed in ${folder}: ${said}`, {
            cause: error,
            retry: RETRY_LATER,
          }),
        );
      }
    });
  });
}

/** The line in which npm says what is wrong: not the code before it, nor where its log is. */
function reasonOf(stderr: string): string | null {
  const lines = stderr.split('\n').map((line) => line.replace(/^npm (?:error|ERR!) ?/, '').trim());
  return lines.find((line) => line !== '' && !/^(?:code |A complete log|npm warn)/.test(line)) ?? null;
}

function readJson(path: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof parsed === 'object' && parsed !== null) return { ...parsed };
  } catch (error) {
    throw new RelayError('PLUGIN_REQUIREMENTS', `${path} is not JSON`, { cause: error });
  }
  throw new RelayError('PLUGIN_REQUIREMENTS', `${path} is no object`);
}

function hasDependencies(path: string): boolean {
  const { dependencies } = readJson(path);
  return typeof dependencies === 'object' && dependencies !== null && Object.keys(dependencies).length > 0;
}

/** Packages of the lockfile without an integrity hash, or from git, a file, a link or another server than the registry. */
function foreignPackages(lockfile: string, registry: string): string[] {
  const { packages } = readJson(lockfile);
  if (typeof packages !== 'object' || packages === null) return ['(a lockfile of an old npm)'];
  return Object.entries(packages as Record<string, unknown>)
    .filter(([path, entry]) => path !== '' && !isFromRegistry(entry, registry))
    .map(([path]) => path.replace(/^.*node_modules\//, ''));
}

function isFromRegistry(entry: unknown, registry: string): boolean {
  if (typeof entry !== 'object' || entry === null) return false;
  const { resolved, integrity, link } = entry as { resolved?: unknown; integrity?: unknown; link?: unknown };
  // Without an address npm asks the registry for the version (omit-lockfile-registry-resolved).
  const isThere = resolved === undefined || (typeof resolved === 'string' && resolved.startsWith(registry));
  return link !== true && typeof integrity === 'string' && isThere;
}
