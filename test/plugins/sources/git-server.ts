import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A git repository on this disk, reached over file://. */
export interface TestRepository {
  readonly path: string;
  readonly url: string;
  /** Writes the files and commits. @returns the commit id */
  commit(files: Readonly<Record<string, string>>): string;
  git(...args: string[]): string;
}

export function tempFolder(): string {
  return mkdtempSync(join(tmpdir(), 'mmrelay-sources-'));
}

export function createRepository(name = 'plugin', folder = tempFolder()): TestRepository {
  const path = join(folder, name);
  mkdirSync(path, { recursive: true });
  const env = { PATH: process.env.PATH, HOME: folder, GIT_CONFIG_NOSYSTEM: '1' };
  const identity = ['-c', 'user.name=t', '-c', 'user.email=t@ex.org', '-c', 'commit.gpgsign=false'];
  const git = (...args: string[]): string =>
    execFileSync('git', [...identity, ...args], { cwd: path, env, encoding: 'utf8', stdio: 'pipe' }).trim();
  git('init', '--quiet', '--initial-branch=main');
  return {
    path,
    url: `file://${path}`,
    git,
    commit: (files) => {
      for (const [file, text] of Object.entries(files)) {
        mkdirSync(dirname(join(path, file)), { recursive: true });
        writeFileSync(join(path, file), text);
      }
      git('add', '--all');
      git('commit', '--quiet', '--message=x');
      return git('rev-parse', 'HEAD');
    },
  };
}

export function pluginCode(name: string, version: string): string {
  return `export default { name: '${name}', version: '${version}', api: 1 };\n`;
}
