import type { LoginFlags } from '../auth-login.ts';
import type { LogoutFlags } from '../auth-logout.ts';
import type { StatusFlags } from '../auth-status.ts';
import { addCommand, type Registry } from './registry.ts';

/** auth ... */
export function addAccountCommands(registry: Registry): void {
  const auth = addCommand(
    registry,
    registry.program,
    { usage: 'auth', description: 'the Matrix account: login, status, logout' },
    async (flags: LoginFlags) => (await import('../auth-login.ts')).authLogin(flags),
  );
  addCommand(
    registry,
    auth,
    { usage: 'login', description: 'log in with a password and store the session' },
    async (flags: LoginFlags) => (await import('../auth-login.ts')).authLogin(flags),
  )
    .option('--homeserver <url>', 'homeserver, as https://matrix.org')
    .option('--username <user>', 'user name or full id')
    .option('--password <password>', 'password (seen by other users of this machine; prefer the next two)')
    .option('--password-stdin', 'read the password from standard input')
    .option('--password-file <path>', 'read the password from a file')
    .option('--new-device', 'a new device, when the keys of the old one are lost or of the Python relay');
  addCommand(registry, auth, { usage: 'status', description: 'which session is stored' }, async (flags: StatusFlags) =>
    (await import('../auth-status.ts')).authStatus(flags),
  )
    .option('--check', 'ask the homeserver whether it is still good')
    .option('--json', 'as JSON');
  addCommand(
    registry,
    auth,
    { usage: 'logout', description: 'end the session on the homeserver and remove credentials and keys' },
    async (flags: LogoutFlags) => (await import('../auth-logout.ts')).authLogout(flags),
  )
    .option('-y, --yes', 'do not ask')
    .option('--local', 'forget the session here even when the homeserver cannot be told');
}
