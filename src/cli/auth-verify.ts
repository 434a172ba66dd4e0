import { verifyAccount } from '../app/account/verify-account.ts';
import { EXIT, type ExitCode } from '../util/exit-code.ts';
import { ask, isInteractive } from './ask.ts';
import { findConfig, type GlobalFlags, homePaths } from './context.ts';

/** `mmrelay auth verify [user]`: waits until somebody asks to verify the relay, and compares emoji with them. */
export async function authVerify(flags: GlobalFlags, only: string | null): Promise<ExitCode> {
  if (!isInteractive()) {
    console.error('A person has to compare emoji: run this on a terminal, or list your user id in matrix.admins.');
    return EXIT.usage;
  }
  const isVerified = await verifyAccount(homePaths(flags, findConfig(flags)), {
    only,
    onReady: ({ userId, deviceId }) => {
      console.log(`${userId}, device ${deviceId ?? '<none>'}, can be verified now. In Element: open the relay in the`);
      console.log('list of members of a room, choose "Verify", then "Verify by emoji". Ctrl-C ends.');
    },
    compare: async (signs, { who, signal }) => {
      console.log(`\n${who} asks for it. Both sides must show:\n\n   ${signs.join('   ')}\n`);
      return /^y/i.test((await ask('Are they the same, in the same order? (y/N): ', signal)).trim());
    },
  });
  console.log(isVerified ? '✅ Verified.' : '❌ Not verified: not the same, or the other side gave up.');
  return isVerified ? EXIT.ok : EXIT.runtime;
}
