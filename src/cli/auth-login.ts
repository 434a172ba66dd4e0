import { relayPid } from '../app/account/session.ts';
import { logIn } from '../app/log-in/log-in.ts';
import { EXIT, type ExitCode } from '../util/exit-code.ts';
import { isInteractive } from './ask.ts';
import { replaceIdentity } from './auth-reset-cross-signing.ts';
import { findConfig, type GlobalFlags, homePaths } from './context.ts';
import { chooseMethod, type MethodFlags } from './login-method.ts';

export interface LoginFlags extends GlobalFlags, MethodFlags {
  readonly newDevice?: boolean | undefined;
  readonly renewable?: boolean | undefined;
  readonly resetCrossSigning?: boolean | undefined;
}

/** Flags without which nobody can log in, as there is nobody to ask. Standard input is read once: at the login. */
export async function lackingLogin(flags: LoginFlags): Promise<readonly string[]> {
  if (flags.passwordStdin === true || flags.accessTokenStdin === true) return [];
  const found = findConfig(flags);
  const chosen = await chooseMethod(flags, { matrix: found.config?.matrix ?? null, paths: homePaths(flags, found) });
  return 'missing' in chosen ? chosen.missing : [];
}

/** `mmrelay auth login`: logs in and writes credentials.json. Asks for what is missing, on a terminal. */
export async function authLogin(flags: LoginFlags): Promise<ExitCode> {
  const found = findConfig(flags);
  const paths = homePaths(flags, found);
  if (isInteractive(flags)) {
    console.log('\nMatrix Bot Authentication');
    console.log('='.repeat(25));
  }
  const chosen = await chooseMethod(flags, { matrix: found.config?.matrix ?? null, paths });
  if ('missing' in chosen) {
    console.error(`Missing: ${chosen.missing.join(', ')}`);
    if (chosen.missing.includes('--password-stdin')) console.error('Without a password: --sso or --oauth');
    return EXIT.usage;
  }
  const { newDevice = false, renewable = false, resetCrossSigning = false } = flags;
  const { credentials, notes } = await logIn({ ...chosen, newDevice, renewable }, paths);
  console.log(`✅ Logged in as ${credentials.userId}, device ${credentials.deviceId ?? '<none>'}`);
  console.log(`✅ credentials.json saved: ${paths.credentials.path}`);
  for (const note of notes) console.log(`⚠️  ${note}`);
  const password = chosen.method.kind === 'password' ? chosen.method.password : null;
  if (resetCrossSigning) return await replaceIdentity(flags, password);
  const pid = relayPid(paths);
  if (pid !== null) {
    console.log(
      `ℹ️  The relay runs (pid ${pid}). It takes this session when its own has ended; restart it to use it now.`,
    );
  }
  return EXIT.ok;
}
