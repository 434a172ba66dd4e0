// Runs before `npm run demo`, `npm test` and their like: on a fresh clone, or when the lockfile is newer than what is
// installed, it runs `npm ci`, so that each of the README's commands works alone. Must run on any host Node.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const installed = join(root, 'node_modules', '.package-lock.json');
const lockfile = join(root, 'package-lock.json');
const binary = join(root, 'node_modules', '.bin', 'node');

const upToDate =
  existsSync(installed) && existsSync(binary) && statSync(installed).mtimeMs >= statSync(lockfile).mtimeMs;
if (!upToDate) {
  process.stderr.write('Installing dependencies (npm ci) ...\n');
  // An npm that does not know `allowScripts` runs every install script: that of noble takes its own ready-made binary for
  // a broken one on Linux, and wants a compiler. Only node's is needed, which fetches the binary for this machine.
  npm('ci', '--ignore-scripts', '--no-audit', '--no-fund');
  npm('rebuild', 'node', '--ignore-scripts=false');
}

/** Ends the process when it fails. Its words go to stderr: those on stdout belong to the command that follows. */
function npm(...words) {
  const program = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const { status } = spawnSync(program, [...words, '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (status !== 0) process.exit(status ?? 1);
}
