import { join } from 'node:path';
import type { Env } from './env.ts';
import { userHome } from './expand.ts';

/** Where the Python relay's installers kept their data by default. */
export function platformDataDir(env: Env, platform: NodeJS.Platform): string {
  if (platform === 'win32') return join(env.LOCALAPPDATA ?? userHome(env), 'mmrelay', 'mmrelay');
  if (platform === 'darwin') return join(userHome(env), 'Library', 'Application Support', 'mmrelay');
  const data = env.XDG_DATA_HOME;
  return join(data !== undefined && data !== '' ? data : join(userHome(env), '.local', 'share'), 'mmrelay');
}
