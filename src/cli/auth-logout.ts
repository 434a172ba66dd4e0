import { endSession, keyFiles, storedSession } from '../app/account/session.ts';
import type { AppPaths } from '../config/paths.ts';
import { EXIT, type ExitCode } from '../util/exit-code.ts';
import { RelayError } from '../util/relay-error.ts';
import { ask, isInteractive } from './ask.ts';
import { findConfig, type GlobalFlags, homePaths } from './context.ts';

export interface LogoutFlags extends GlobalFlags {
  readonly yes?: boolean | undefined;
  readonly local?: boolean | undefined;
}

/** `mmrelay auth logout`: needs the token only, never the password. */
export async function authLogout(flags: LogoutFlags): Promise<ExitCode> {
  const paths = homePaths(flags, findConfig(flags));
  const session = readable(() => storedSession(paths));
  if (session === null) {
    console.log('ℹ️  No active session found. Already logged out.');
    return EXIT.ok;
  }
  if (flags.yes !== true) {
    if (!isInteractive()) {
      console.error('This ends the session of the relay. Add --yes to confirm.');
      return EXIT.usage;
    }
    const answer = await ask('Are you sure you want to logout? (y/N): ');
    if (!/^y/i.test(answer.trim())) {
      console.log('Logout cancelled.');
      return EXIT.ok;
    }
  }
  try {
    await endSession(paths, { localOnly: flags.local === true || session === 'broken' });
  } catch (error) {
    if (error instanceof RelayError && error.code.startsWith('MATRIX_')) {
      console.error(`❌ The homeserver could not be told: ${error.message}`);
      console.error('Nothing was removed. Try again later, or use --local to forget the session here only.');
      return EXIT.runtime;
    }
    throw error;
  }
  console.log('✅ Logout completed successfully!');
  console.log(`   Removed: ${paths.credentials.path}`);
  for (const left of whatIsLeft(paths)) console.log(`   Kept: ${left}`);
  return EXIT.ok;
}

function whatIsLeft(paths: AppPaths): readonly string[] {
  const { keys, recoveryKey } = keyFiles(paths);
  return [
    `encryption keys in ${paths.store.path} and ${keys}; the next login starts a new device`,
    'the identity of the account (cross-signing, key backup) on the homeserver, for its other devices',
    ...(recoveryKey === null ? [] : [`${recoveryKey}, which opens that identity from any client: keep it elsewhere`]),
  ];
}

/** A broken file holds no token that could be ended. */
function readable<T>(read: () => T): T | 'broken' {
  try {
    return read();
  } catch (error) {
    if (error instanceof RelayError && error.code === 'MATRIX_CREDENTIALS_INVALID') return 'broken';
    throw error;
  }
}
