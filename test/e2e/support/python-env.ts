import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The counterparts that live in Python; each has its own environment and its own requirements-<name>.txt. */
export type PythonEnvName = 'synapse' | 'meshtastic' | 'bumble' | 'mmrelay' | 'nio';

export type PythonEnvState =
  | { readonly python: string; readonly reason: null }
  | { readonly python: null; readonly reason: string };

const SUPPORT_DIR = fileURLToPath(new URL('.', import.meta.url));
const CACHE_DIR = fileURLToPath(new URL('../../../.cache/venv/', import.meta.url));
/** pip over a slow network, on two busy cores. */
const INSTALL_TIMEOUT_MS = 600_000;
/** A lock older than this belongs to a process that was killed. */
const STALE_LOCK_MS = INSTALL_TIMEOUT_MS + 60_000;
const LOCK_POLL_MS = 250;

/**
 * The Python of the environment `name` under .cache/venv, made with venv and pip when it is missing or was made
 * from other requirements. Safe to call from several processes at once.
 * @throws Error that says what is missing
 */
export async function ensurePythonEnv(name: PythonEnvName): Promise<string> {
  const requirements = join(SUPPORT_DIR, `requirements-${name}.txt`);
  const hash = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 16);
  const dir = join(CACHE_DIR, name);
  const python = join(dir, 'bin', 'python3');
  if (isStamped(dir, hash)) return python;
  mkdirSync(CACHE_DIR, { recursive: true });
  const release = await lock(`${dir}.lock`);
  try {
    if (isStamped(dir, hash)) return python;
    rmSync(dir, { recursive: true, force: true });
    await run('python3', ['-m', 'venv', dir], { timeout: INSTALL_TIMEOUT_MS });
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--requirement', requirements];
    await run(python, pip, { timeout: INSTALL_TIMEOUT_MS });
    writeFileSync(stampOf(dir), hash);
    return python;
  } catch (error) {
    throw new Error(`Python environment "${name}" cannot be made: ${reasonOf(error)}`, { cause: error });
  } finally {
    release();
  }
}

/** Like ensurePythonEnv, but says why instead of throwing. */
export async function pythonEnvState(name: PythonEnvName): Promise<PythonEnvState> {
  try {
    return { python: await ensurePythonEnv(name), reason: null };
  } catch (error) {
    return { python: null, reason: error instanceof Error ? error.message : String(error) };
  }
}

function stampOf(dir: string): string {
  return join(dir, 'requirements.sha256');
}

function isStamped(dir: string, hash: string): boolean {
  return existsSync(stampOf(dir)) && readFileSync(stampOf(dir), 'utf8') === hash;
}

/** Takes a lock folder (mkdir is atomic); the returned function gives it back. */
async function lock(path: string): Promise<() => void> {
  for (;;) {
    try {
      mkdirSync(path);
      return () => rmSync(path, { recursive: true, force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      if (ageMs(path) > STALE_LOCK_MS) rmSync(path, { recursive: true, force: true });
      else await delay(LOCK_POLL_MS);
    }
  }
}

function ageMs(path: string): number {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? 0 : Date.now() - stat.mtimeMs;
}

/** The last line of pip's or venv's own words, which is where they say what went wrong. */
function reasonOf(error: unknown): string {
  const stderr = (error as { stderr?: unknown }).stderr;
  const line = typeof stderr === 'string' ? stderr.trim().split('\n').at(-1) : undefined;
  if (line) return line;
  return error instanceof Error ? error.message : String(error);
}
