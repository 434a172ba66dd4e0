import { readFileSync } from 'node:fs';
import { logInAndSave } from '../app/log-in.ts';
import { EXIT, type ExitCode } from '../util/exit-code.ts';
import { errorText, RelayError } from '../util/relay-error.ts';
import { ask, askSecret, isInteractive } from './ask.ts';
import { findConfig, type GlobalFlags, homePaths } from './context.ts';

export interface LoginFlags extends GlobalFlags {
  readonly homeserver?: string | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly passwordStdin?: boolean | undefined;
  readonly passwordFile?: string | undefined;
  readonly newDevice?: boolean | undefined;
}

interface Account {
  readonly homeserver: string | null;
  readonly user: string | null;
  readonly password: string | null;
}

/** `mmrelay auth login`: a password login that writes credentials.json. Asks for what is missing, on a terminal. */
export async function authLogin(flags: LoginFlags): Promise<ExitCode> {
  const found = findConfig(flags);
  const paths = homePaths(flags, found);
  const matrix = found.config?.matrix;
  const given: Account = {
    homeserver: flags.homeserver ?? matrix?.homeserver ?? null,
    user: flags.username ?? matrix?.botUserId ?? null,
    password: readPassword(flags) ?? matrix?.password ?? null,
  };
  const { homeserver, user, password } = isInteractive() ? await askMissing(given) : given;
  const missing = [
    blank(homeserver) ? '--homeserver' : '',
    blank(user) ? '--username' : '',
    blank(password) ? '--password-stdin' : '',
  ].filter((flag) => flag !== '');
  if (homeserver === null || user === null || password === null || missing.length > 0) {
    console.error(`Missing: ${missing.join(', ')}`);
    return EXIT.usage;
  }
  const account = { homeserver, user, password };
  const credentials = await logInAndSave(account, paths, { newDevice: flags.newDevice === true });
  console.log(`✅ Logged in as ${credentials.userId}, device ${credentials.deviceId}`);
  console.log(`✅ credentials.json saved: ${paths.credentials.path}`);
  return EXIT.ok;
}

function blank(text: string | null): boolean {
  return text === null || text.trim() === '';
}

async function askMissing({ homeserver, user, password }: Account): Promise<Account> {
  if (!blank(homeserver) && !blank(user) && !blank(password)) return { homeserver, user, password };
  console.log('\nMatrix Bot Authentication');
  console.log('='.repeat(25));
  return {
    homeserver: blank(homeserver) ? await ask('Enter Matrix homeserver URL (e.g., https://matrix.org): ') : homeserver,
    user: blank(user)
      ? await ask('Enter Matrix username (localpart, e.g., bot) or full user ID (e.g., @bot:example.com): ')
      : user,
    password: blank(password) ? await askSecret('Enter Matrix password: ') : password,
  };
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
