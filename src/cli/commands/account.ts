import type { LoginFlags } from '../auth-login.ts';
import type { LogoutFlags } from '../auth-logout.ts';
import type { StatusFlags } from '../auth-status.ts';
import type { SetupFlags } from '../setup.ts';
import { addCommand, type Registry } from './registry.ts';

/** setup, auth ... */
export function addAccountCommands(registry: Registry): void {
  addSetup(registry);
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

function addSetup(registry: Registry): void {
  const collect = (value: string, all: readonly string[] = []): readonly string[] => [...all, value];
  addCommand(
    registry,
    registry.program,
    {
      usage: 'setup',
      description: 'first run: find the radio, log in, choose rooms, write the configuration',
      more: `
Example without questions:
  mmrelay setup --yes --radio 192.168.1.20 --homeserver https://matrix.org --username relaybot \\
    --password-file ./password --room '#mesh:matrix.org'`,
    },
    async (flags: SetupFlags) => (await import('../setup.ts')).setup(flags),
  )
    .option('--radio <where>', 'host[:port], /dev/..., ble:address or auto')
    .option('--meshnet <name>', 'name of the mesh, as rooms see it')
    .option('--homeserver <url>', 'homeserver, as https://matrix.org')
    .option('--username <user>', 'user name or full id of the account of the relay')
    .option('--password-stdin', 'read its password from standard input')
    .option('--password-file <path>', 'read its password from a file')
    .option('--room <room>', '#alias:server or !id, with =2 for channel 2; may be repeated', collect)
    .option('--new-room <name>', 'make a room for channel 0')
    .option('--invite <user>', 'invite this user to it; may be repeated', collect)
    .option('-y, --yes', 'ask nothing')
    .option('--force', 'replace an existing configuration (it is kept as .bak)');
}
