import { resetCrossSigning } from '../app/account/reset-cross-signing.ts';
import { EXIT, type ExitCode } from '../util/exit-code.ts';
import { ask, isInteractive } from './ask.ts';
import { findConfig, type GlobalFlags, homePaths } from './context.ts';
import { askPassword, knownPassword, type PasswordFlags } from './login-secrets.ts';

export interface ResetFlags extends GlobalFlags, PasswordFlags {
  readonly yes?: boolean | undefined;
}

/** `mmrelay auth reset-cross-signing`: a new identity for the account, where the old one is lost or made elsewhere. */
export async function authResetCrossSigning(flags: ResetFlags): Promise<ExitCode> {
  const found = findConfig(flags);
  if (flags.yes !== true) {
    if (!isInteractive()) {
      console.error('This replaces the identity of the account on the homeserver. Add --yes to confirm.');
      return EXIT.usage;
    }
    console.log(
      'Who has verified the account will be warned and has to verify it again; its old secret storage and key',
    );
    console.log('backup are replaced, and what only they hold is lost.');
    if (!/^y/i.test((await ask('Replace the identity of the account? (y/N): ')).trim())) return EXIT.ok;
  }
  const password = knownPassword(flags, found.config?.matrix ?? null) ?? (await askPassword({}));
  return await replaceIdentity(flags, password);
}

/** Also the end of `auth login --reset-cross-signing`. */
export async function replaceIdentity(flags: GlobalFlags, password: string | null): Promise<ExitCode> {
  const { userId, recoveryKeyFile } = await resetCrossSigning(homePaths(flags, findConfig(flags)), password);
  console.log(`✅ New cross-signing identity of ${userId}, signed: this device`);
  console.log(`✅ Recovery key saved: ${recoveryKeyFile} (keep it somewhere safe and delete the file)`);
  return EXIT.ok;
}
