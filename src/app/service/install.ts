import { execFile } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import type { Env } from '../../config/env.ts';
import { userHome } from '../../config/expand.ts';
import { errorText, RelayError } from '../../util/relay-error.ts';
import { modernUnit } from './unit.ts';

export type Scope = 'user' | 'system';

export function unitPath(scope: Scope, env: Env): string {
  if (scope === 'system') return '/etc/systemd/system/mmrelay.service';
  const config = env.XDG_CONFIG_HOME;
  const base = config !== undefined && isAbsolute(config) ? config : join(userHome(env), '.config');
  return join(base, 'systemd', 'user', 'mmrelay.service');
}

export type InstallOutcome = 'written' | 'updated' | 'unchanged' | 'differs';

/** Writes a unit; one that differs only with `force`, and then it is kept as `.bak`. @throws RelayError CONFIG_SERVICE */
export function installUnit(path: string, text: string, options: { readonly force: boolean }): InstallOutcome {
  try {
    const old = existsSync(path) ? readFileSync(path, 'utf8') : null;
    if (old === text) return 'unchanged';
    if (old !== null && !options.force) return 'differs';
    if (old !== null) copyFileSync(path, `${path}.bak`);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { mode: 0o644 });
    return old === null ? 'written' : 'updated';
  } catch (error) {
    throw new RelayError('CONFIG_SERVICE', `${path} cannot be written: ${errorText(error)}`);
  }
}

/** Lets the unit of mmrelay 1.x start this program. @returns false when there was nothing to change */
export function migrateUnit(path: string, launcher: readonly string[], options: { readonly dryRun: boolean }): boolean {
  if (!existsSync(path)) return false;
  const changed = modernUnit(readFileSync(path, 'utf8'), launcher);
  if (changed === null) return false;
  if (!options.dryRun) installUnit(path, changed, { force: true });
  return true;
}

/** Tells systemd to read its units again; null when that worked, else why not. */
export function reloadSystemd(scope: Scope): Promise<string | null> {
  const args = [...(scope === 'user' ? ['--user'] : []), 'daemon-reload'];
  return new Promise((resolve) => {
    execFile('systemctl', args, { timeout: 10_000 }, (error, _output, complaint) => {
      const [why = ''] = complaint.trim().split('\n');
      resolve(error === null ? null : why === '' ? error.message : why);
    });
  });
}
