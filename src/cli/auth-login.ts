import { readFileSync } from 'node:fs';
import { logInAndSave } from '../app/log-in.ts';
import { EXIT, type ExitCode } from '../util/exit-code.ts';
import { errorText, RelayError } from '../util/relay-error.ts';
import { findConfig, type GlobalFlags, homePaths } from './context.ts';

export interface LoginFlags extends GlobalFlags {
  readonly homeserver?: string | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly passwordStdin?: boolean | undefined;
  readonly passwordFile?: string | undefined;
  readonly newDevice?: boolean | undefined;
}

/** `mmrelay auth login`: a password login that writes credentials.json. */
export async function authLogin(flags: LoginFlags): Promise<ExitCode> {
  const found = findConfig(flags);
  const paths = homePaths(flags, found);
  const matrix = found.config?.matrix;
  const homeserver = flags.homeserver ?? matrix?.homeserver ?? null;
  const user = flags.username ?? matrix?.botUserId ?? null;
  const password = readPassword(flags) ?? matrix?.password ?? null;
  const missing = [
    homeserver === null ? '--homeserver' : '',
    user === null ? '--username' : '',
    password === null || password === '' ? '--password-stdin' : '',
  ].filter((flag) => flag !== '');
  if (homeserver === null || user === null || password === null || missing.length > 0) {
    console.error(`Missing: ${missing.join(', ')}`);
    return EXIT.usage;
  }
  const credentials = await logInAndSave({ homeserver, user, password }, paths, {
    newDevice: flags.newDevice === true,
  });
  console.log(`✅ Logged in as ${credentials.userId}, device ${credentials.deviceId}`);
  console.log(`✅ credentials.json saved: ${paths.credentials.path}`);
  return EXIT.ok;
}

function readPassword(flags: LoginFlags): string | null {
  if (flags.password !== undefined) return flags.password;
  const source = flags.passwordStdin === true ? 0 : flags.passwordFile;
  if (source === undefined) return null;
  try {
    return readFileSync(source, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw new RelayError('MATRIX_LOGIN_PASSWORD', `The password cannot be read: ${errorText(error)}`);
  }
}
