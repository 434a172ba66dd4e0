import { knownSession } from '../app/log-in/known-device.ts';
import { askOffer, type LoginMethod } from '../app/log-in/log-in.ts';
import { type LoginWay, needOffered, offeredWays } from '../app/log-in/ways.ts';
import type { AppPaths } from '../config/paths.ts';
import type { MatrixConfig } from '../config/types.ts';
import { ask, isInteractive } from './ask.ts';
import { browserMethod } from './login-browser.ts';
import {
  askPassword,
  filled,
  givenToken,
  knownPassword,
  type PasswordFlags,
  type TokenFlags,
} from './login-secrets.ts';

export interface MethodFlags extends PasswordFlags, TokenFlags {
  readonly homeserver?: string | undefined;
  readonly username?: string | undefined;
  readonly sso?: boolean | undefined;
  readonly oauth?: boolean | undefined;
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
  { matrix, paths }: { readonly matrix: MatrixConfig | null; readonly paths: AppPaths },
): Promise<ChosenMethod> {
  const known = knownSession(paths);
  const named = filled(flags.username ?? matrix?.botUserId);
  const homeserver =
    filled(flags.homeserver ?? matrix?.homeserver) ??
    (await askLine(HOMESERVER, { flags, byDefault: serverOf(named) ?? known?.homeserver ?? null }));
  const token = givenToken(flags);
  if (token !== null) return withoutAccount(homeserver, { kind: 'token', token });
  const password = knownPassword(flags, matrix);
  const way = wayOf(flags, password) ?? (homeserver === null ? 'password' : await askWay(homeserver));
  if (way !== 'password') return withoutAccount(homeserver, browserMethod(way));
  const knownUser = homeserver === known?.homeserver ? known?.userId : null;
  const user = named ?? (await askLine(USER, { flags, byDefault: knownUser ?? null }));
  return passwordMethod({ homeserver, user, password: password ?? (await askPassword(flags)) });
}

/** `example.org` of `@bot:example.org`: where a full id is given, its server says where the homeserver is. */
function serverOf(user: string | null): string | null {
  return filled(/^@[^:]+:(.+)$/.exec(user?.trim() ?? '')?.[1]);
}

function withoutAccount(homeserver: string | null, method: LoginMethod): ChosenMethod {
  return homeserver === null ? { missing: ['--homeserver'] } : { homeserver, method };
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

/** null: somebody can be asked. */
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
