import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Env } from './env.ts';

/** The user's home: `HOME` (tests and services set it), else what the system says. */
export function userHome(env: Env): string {
  const home = env.HOME;
  return home !== undefined && home !== '' ? home : homedir();
}

/** `~` and `~/..` become the user's home; other users' homes (`~name`) are left alone. */
export function expandTilde(path: string, env: Env): string {
  if (path === '~') return userHome(env);
  return /^~[/\\]/.test(path) ? join(userHome(env), path.slice(2)) : path;
}

/** `~`, `$VAR` and `${VAR}` replaced, made absolute. Unknown variables stay as they are. */
export function expandPath(path: string, options: { readonly env: Env; readonly cwd: string }): string {
  const tilde = expandTilde(path.trim(), options.env);
  const filled = tilde.replace(/\$(?:\{(\w+)\}|(\w+))/g, (whole, braced?: string, bare?: string) => {
    return options.env[braced ?? bare ?? ''] ?? whole;
  });
  return resolve(options.cwd, filled);
}
