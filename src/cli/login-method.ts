import { readFileSync } from 'node:fs';
import { knownSession } from '../app/log-in/known-device.ts';
import { askOffer, type LoginMethod } from '../app/log-in/log-in.ts';
import { type LoginWay, needOffered, offeredWays } from '../app/log-in/ways.ts';
import type { AppPaths } from '../config/paths.ts';
import type { MatrixConfig } from '../config/types.ts';
import { errorText, RelayError } from '../util/relay-error.ts';
import { ask, askSecret, isInteractive } from './ask.ts';
import { browserMethod } from './login-browser.ts';

export interface PasswordFlags {
  readonly password?: string | undefined;
  readonly passwordStdin?: boolean | undefined;
  readonly passwordFile?: string | undefined;
}

export interface MethodFlags extends PasswordFlags {
  /** Ask nothing. */
  readonly yes?: boolean | undefined;
  readonly homeserver?: string | undefined;
  readonly username?: string | undefined;
  readonly sso?: boolean | undefined;
  readonly oauth?: boolean | undefined;
  readonly accessTokenStdin?: boolean | undefined;
  readonly accessTokenFile?: string | undefined;
}

export type ChosenMethod =
  | { readonly homeserver: string; readonly method: LoginMethod }
  /** Flags without which nothing can be done, as there is nobody to ask. */
  | { readonly missing: readonly string[] };

/**
 * How to log in: by the flags, then the configuration, then questions on a terminal. The session in the home answers
 * what is left, so that an account that was logged out needs its password alone.
 */
export async function chooseMethod(
  flags: MethodFlags,
  { matrix, paths }: { readonly matrix: MatrixConfig | undefined; readonly paths: AppPaths },
): Promise<ChosenMethod> {
  const known = knownSession(paths);
  const token = filled(secretOf('access token', flags.accessTokenStdin, flags.accessTokenFile));
  const password = flags.password ?? secretOf('password', flags.passwordStdin, flags.passwordFile) ?? matrix?.password;
  const homeserver =
    filled(flags.homeserver ?? matrix?.homeserver) ??
    (await askLine(HOMESERVER, { flags, byDefault: known?.homeserver ?? null }));
  if (token !== null)
    return homeserver === null ? { missing: ['--homeserver'] } : { homeserver, method: { kind: 'token', token } };
  const way = wayOf(flags, filled(password)) ?? (homeserver === null ? 'password' : await askWay(homeserver));
  if (way !== 'password')
    return homeserver === null ? { missing: ['--homeserver'] } : { homeserver, method: browserMethod(way) };
  const account = {
    homeserver,
    user:
      filled(flags.username ?? matrix?.botUserId) ?? (await askLine(USER, { flags, byDefault: known?.userId ?? null })),
    password: filled(password) ?? (isInteractive(flags) ? filled(await askSecret('Enter Matrix password: ')) : null),
  };
  return passwordMethod(account);
}

/** The password by flag, then configuration, then a question on a terminal. */
export async function givenPassword(flags: PasswordFlags, matrix: MatrixConfig | null): Promise<string | null> {
  const password = flags.password ?? secretOf('password', flags.passwordStdin, flags.passwordFile) ?? matrix?.password;
  return filled(password) ?? (isInteractive() ? filled(await askSecret('Enter Matrix password: ')) : null);
}

function passwordMethod(account: {
  readonly homeserver: string | null;
  readonly user: string | null;
  readonly password: string | null;
}): ChosenMethod {
  const { homeserver, user, password } = account;
  if (homeserver !== null && user !== null && password !== null) {
    return { homeserver, method: { kind: 'password', user, password } };
  }
  const flags = { homeserver: '--homeserver', user: '--username', password: '--password-stdin' };
  return { missing: Object.entries(flags).flatMap(([key, flag]) => (Reflect.get(account, key) === null ? flag : [])) };
}

function wayOf(flags: MethodFlags, password: string | null): LoginWay | null {
  if (flags.sso === true) return 'sso';
  if (flags.oauth === true) return 'oauth';
  return password !== null || flags.username !== undefined || !isInteractive(flags) ? 'password' : null;
}

const LABELS: Readonly<Record<LoginWay, string>> = {
  oauth: 'in the browser, on any machine (OAuth)',
  password: 'with a password',
  sso: 'in the browser (single sign-on)',
};

async function askWay(homeserver: string): Promise<LoginWay> {
  const offer = await askOffer(homeserver);
  const ways = offeredWays(offer);
  const [first] = ways;
  if (first === undefined) needOffered('password', offer, homeserver);
  if (first === undefined || ways.length === 1) return first ?? 'password';
  console.log('How do you want to log in?');
  for (const [index, way] of ways.entries()) console.log(`   ${index + 1}. ${LABELS[way]}`);
  const answer = await ask('Number [1]: ');
  return ways[Number(answer.trim() || '1') - 1] ?? first;
}

const HOMESERVER = 'Enter Matrix homeserver URL (e.g., https://matrix.org)';
const USER = 'Enter Matrix username (localpart, e.g., bot) or full user ID (e.g., @bot:example.com)';

/** Without a terminal the default is the answer. */
async function askLine(
  question: string,
  { flags, byDefault }: { readonly flags: MethodFlags; readonly byDefault: string | null },
): Promise<string | null> {
  if (!isInteractive(flags)) return byDefault;
  const hint = byDefault === null ? '' : ` [${byDefault}]`;
  return filled(await ask(`${question}${hint}: `)) ?? byDefault;
}

function filled(text: string | null | undefined): string | null {
  return text === null || text === undefined || text.trim() === '' ? null : text;
}

function secretOf(what: string, stdin: boolean | undefined, file: string | undefined): string | null {
  const source = stdin === true ? 0 : file;
  if (source === undefined) return null;
  try {
    return readFileSync(source, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw new RelayError('MATRIX_LOGIN_PASSWORD', `The ${what} cannot be read: ${errorText(error)}`);
  }
}
