import { execFile } from 'node:child_process';
import { RETRY_LATER, RelayError } from '../../util/relay-error.ts';
import { redactUrl } from './repository.ts';

export type Git = (args: readonly string[], options?: { readonly cwd?: string }) => Promise<string>;

export interface GitOptions {
  /** Of the environment, what git and ssh need; the rest stays here. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly allowLocal: boolean;
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 120_000;
const PASSED_ON = ['PATH', 'HOME', 'SSH_AUTH_SOCK', 'HTTPS_PROXY', 'https_proxy', 'NO_PROXY', 'no_proxy', 'TMPDIR'];

/** What a repository or somebody's settings could make git run or fetch is off. */
function hardening(allowLocal: boolean): string[] {
  const settings = [
    'core.hooksPath=/dev/null',
    'core.fsmonitor=false',
    'core.symlinks=false',
    'core.sshCommand=ssh -oBatchMode=yes -oStrictHostKeyChecking=yes',
    'submodule.recurse=false',
    'fetch.recurseSubmodules=false',
    'protocol.allow=never',
    'protocol.https.allow=always',
    'protocol.ssh.allow=always',
    `protocol.file.allow=${allowLocal ? 'always' : 'never'}`,
    'transfer.fsckObjects=true',
    'advice.detachedHead=false',
    'gc.auto=0',
  ];
  return settings.flatMap((setting) => ['-c', setting]);
}

/** A git that asks nothing, runs no hooks and takes no settings of the system. @throws RelayError PLUGIN_GIT from its calls */
export function createGit({ env, allowLocal, timeoutMs = TIMEOUT_MS }: GitOptions): Git {
  const childEnv = {
    ...Object.fromEntries(PASSED_ON.map((name) => [name, env[name]])),
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: '',
    GIT_CONFIG_NOSYSTEM: '1',
    LC_ALL: 'C',
  };
  return (args, { cwd } = {}) =>
    new Promise((resolve, reject) => {
      const options = { cwd, env: childEnv, timeout: timeoutMs, maxBuffer: 8 * 1024 * 1024 };
      execFile('git', [...hardening(allowLocal), ...args], options, (error, stdout, stderr) => {
        if (error === null) resolve(stdout.trim());
        else reject(gitError(error, stderr, args));
      });
    });
}

function gitError(
  error: Error & { code?: unknown; killed?: boolean },
  stderr: string,
  args: readonly string[],
): RelayError {
  if (error.code === 'ENOENT') return new RelayError('PLUGIN_GIT', 'git is not installed; community plugins need it');
  const said = stderr
    .split('\n')
    .filter((line) => /^(?:fatal|error):/.test(line))
    .map(redactWords)
    .join('; ');
  const why = error.killed === true ? 'took too long' : said || redactWords(stderr.trim().split('\n').at(-1) ?? '');
  return new RelayError('PLUGIN_GIT', `git ${args[0] ?? ''} failed: ${why || error.message.split('\n')[0]}`, {
    cause: error,
    retry: RETRY_LATER,
  });
}

function redactWords(line: string): string {
  return line.replace(/\w[\w+.-]*:\/\/\S+/g, (url) => redactUrl(url));
}
