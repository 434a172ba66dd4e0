import type { Command } from 'commander';
import type { ResetFlags } from '../auth-reset-cross-signing.ts';
import type { GlobalFlags } from '../context.ts';
import { addCommand, type Registry } from './registry.ts';

/** auth verify, auth reset-cross-signing. */
export function addIdentityCommands(registry: Registry, auth: Command): void {
  addCommand(
    registry,
    auth,
    {
      usage: 'verify [user]',
      description: 'be verified by emoji, from Element or another client; the relay must be stopped',
    },
    async (flags: GlobalFlags, [user]) => (await import('../auth-verify.ts')).authVerify(flags, user ?? null),
  );
  addCommand(
    registry,
    auth,
    { usage: 'reset-cross-signing', description: 'replace the cross-signing identity of the account by a new one' },
    async (flags: ResetFlags) => (await import('../auth-reset-cross-signing.ts')).authResetCrossSigning(flags),
  )
    .option(
      '--password <password>',
      'password of the account (seen by other users of this machine; prefer the next two)',
    )
    .option('--password-stdin', 'read it from standard input')
    .option('--password-file <path>', 'read it from a file')
    .option('-y, --yes', 'do not ask');
}
