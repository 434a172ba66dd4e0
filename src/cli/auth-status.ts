import { configuredLogin } from '../app/account/choose-auth.ts';
import { checkToken, freshSession, storedSession } from '../app/account/session.ts';
import { EXIT, type ExitCode } from '../util/exit-code.ts';
import { errorText, RelayError } from '../util/relay-error.ts';
import { findConfig, type GlobalFlags, homePaths } from './context.ts';

export interface StatusFlags extends GlobalFlags {
  readonly check?: boolean | undefined;
  readonly json?: boolean | undefined;
}

interface Status {
  readonly loggedIn: boolean;
  readonly file: string;
  readonly homeserver: string | null;
  readonly userId: string | null;
  readonly deviceId: string | null;
  /** The session gets new tokens by itself. */
  readonly renewsItself: boolean;
  /** How the next start gets in when nothing is stored. */
  readonly nextLogin: 'password' | 'token' | null;
  /** null: not asked. */
  readonly tokenValid: boolean | null;
  readonly problem: string | null;
}

/** `mmrelay auth status`: the stored session; exit 1 when the relay could not log in. */
export async function authStatus(flags: StatusFlags): Promise<ExitCode> {
  const status = await readStatus(flags);
  if (flags.json === true) console.log(JSON.stringify(status, null, 2));
  else print(status);
  if (status.tokenValid === false) return EXIT.credentials;
  return status.loggedIn || (status.nextLogin !== null && status.problem === null) ? EXIT.ok : EXIT.runtime;
}

async function readStatus(flags: StatusFlags): Promise<Status> {
  const found = findConfig(flags);
  const paths = homePaths(flags, found);
  const nextLogin = found.config === null ? null : (configuredLogin(found.config.matrix)?.kind ?? null);
  const none = { homeserver: null, userId: null, deviceId: null, renewsItself: false, tokenValid: null };
  const base = { file: paths.credentials.path, nextLogin };
  try {
    const session = storedSession(paths);
    if (session === null) return { ...base, ...none, loggedIn: false, problem: null };
    const { homeserver, userId, deviceId, renewal } = session;
    const known = { ...base, loggedIn: true, homeserver, userId, deviceId, renewsItself: renewal !== undefined };
    if (flags.check !== true) return { ...known, tokenValid: null, problem: null };
    try {
      const who = await checkToken((await freshSession(paths)) ?? session);
      return { ...known, userId: who.userId, tokenValid: true, problem: null };
    } catch (error) {
      if (!(error instanceof RelayError)) throw error;
      const refused = error.code === 'MATRIX_LOGGED_OUT';
      return { ...known, tokenValid: refused ? false : null, problem: error.message };
    }
  } catch (error) {
    return { ...base, ...none, loggedIn: false, problem: errorText(error) };
  }
}

function print(status: Status): void {
  console.log('Matrix Authentication Status');
  console.log('='.repeat(28));
  if (status.loggedIn) {
    console.log(`✅ Found credentials.json at: ${status.file}`);
    console.log(`   Homeserver: ${status.homeserver ?? '<missing>'}`);
    console.log(`   User ID: ${status.userId ?? '<missing> (asked from the server at the next start)'}`);
    console.log(`   Device ID: ${status.deviceId ?? '<missing>'}`);
    if (status.renewsItself) console.log('   Session: renews itself');
    if (status.tokenValid === true) console.log('   Token: ✅ the homeserver accepts it');
    if (status.tokenValid === false) console.log("   Token: ❌ the homeserver refuses it: run 'mmrelay auth login'");
    else if (status.problem !== null) console.log(`   Token: ⚠️  not checked: ${status.problem}`);
    return;
  }
  if (status.problem !== null) console.log(`⚠️  Skipping ${status.file}: ${status.problem}`);
  console.log('❌ No credentials.json found');
  if (status.nextLogin === null) console.log("Run 'mmrelay auth login' to authenticate");
  else console.log(`ℹ️  The next start logs in with the ${status.nextLogin} of the configuration.`);
}
