import type { LoginFlags } from '../auth-login.ts';
import type { LogoutFlags } from '../auth-logout.ts';
import type { StatusFlags } from '../auth-status.ts';
import type { SetupFlags } from '../setup.ts';
import { addIdentityCommands } from './identity.ts';
import { addCommand, type Registry } from './registry.ts';

/** setup, auth ... */
export function addAccountCommands(registry: Registry): void {
  addSetup(registry);
  const auth = addCommand(
    registry,
    registry.program,
    { usage: 'auth', description: 'the Matrix account: login, status, verify, logout' },
    async (flags: LoginFlags) => (await import('../auth-login.ts')).authLogin(flags),
  );
  addCommand(
    registry,
    auth,
    { usage: 'login', description: 'log in and store the session; asks on a terminal', more: LOGIN_WAYS },
    async (flags: LoginFlags) => (await import('../auth-login.ts')).authLogin(flags),
  )
    .option('--homeserver <url>', 'homeserver, as https://matrix.org')
    .option('--username <user>', 'user name or full id')
    .option('--password <password>', 'password (seen by other users of this machine; prefer the next two)')
    .option('--password-stdin', 'read the password from standard input')
    .option('--password-file <path>', 'read the password from a file')
    .option('--sso', 'log in in a browser (single sign-on); without a screen, open the address elsewhere')
    .option('--oauth', 'log in in a browser on any machine, by a code (homeservers with OAuth 2.0, as matrix.org)')
    .option('--access-token-stdin', 'take an access token made elsewhere, from standard input')
    .option('--access-token-file <path>', 'the same, from a file')
    .option('--renewable', 'a session that renews itself, where the homeserver would end it after a time')
    .option('--new-device', 'a new device, when the keys of the old one are lost or of the Python relay')
    .option('--reset-cross-signing', 'replace the identity of the account too, see reset-cross-signing');
  addCommand(registry, auth, { usage: 'status', description: 'which session is stored' }, async (flags: StatusFlags) =>
    (await import('../auth-status.ts')).authStatus(flags),
  )
    .option('--check', 'ask the homeserver whether it is still good')
    .option('--json', 'as JSON');
  addCommand(
    registry,
    auth,
    { usage: 'logout', description: 'end the session on the homeserver and remove the credentials; the keys stay' },
    async (flags: LogoutFlags) => (await import('../auth-logout.ts')).authLogout(flags),
  )
    .option('-y, --yes', 'do not ask')
    .option('--local', 'forget the session here even when the homeserver cannot be told');
  addIdentityCommands(registry, auth);
}

const LOGIN_WAYS = `
Ways in, whichever your homeserver offers:
  mmrelay auth login                                        asks
  mmrelay auth login --homeserver https://example.org --username relaybot --password-file ./password
  mmrelay auth login --homeserver https://matrix.org --oauth
  mmrelay auth login --homeserver https://example.org --sso
  mmrelay auth login --homeserver https://example.org --access-token-file ./token`;

const SETUP_EXAMPLES = `
Without flags it asks, step by step. Without questions:
  mmrelay setup --yes --radio 192.168.1.20 --homeserver https://matrix.org --username relaybot \\
    --password-file ./password --room '#mesh:matrix.org' --new-room 'Club=1' --invite @you:matrix.org`;

function addSetup(registry: Registry): void {
  const collect = (value: string, all: readonly string[] = []): readonly string[] => [...all, value];
  addCommand(
    registry,
    registry.program,
    {
      usage: 'setup',
      description: 'first run: find the radio, log in, choose rooms, write the configuration',
      more: SETUP_EXAMPLES,
    },
    async (flags: SetupFlags) => (await import('../setup.ts')).setup(flags),
  )
    .option('--radio <where>', 'host[:port], /dev/..., ble:address or auto')
    .option('--meshnet <name>', 'name of the mesh, as rooms see it')
    .option('--homeserver <url>', 'homeserver, as https://matrix.org')
    .option('--username <user>', 'user name or full id of the account of the relay')
    .option('--password-stdin', 'read its password from standard input')
    .option('--password-file <path>', 'read its password from a file')
    .option('--sso', 'log in in a browser (single sign-on)')
    .option('--oauth', 'log in in a browser on any machine, by a code')
    .option('--access-token-file <path>', 'take an access token from a file')
    .option('--room <room>', '#alias:server or !id, with =2 for channel 2; may be repeated', collect)
    .option('--new-room <name>', 'make a room, with =2 for channel 2; may be repeated', collect)
    .option('--invite <user>', 'invite this user to new rooms; may be repeated', collect)
    .option('--encrypted', 'encrypt new rooms end to end (for good)')
    .option('--service', 'write the systemd unit, too')
    .option('--no-service', 'do not offer it')
    .option('-y, --yes', 'ask nothing')
    .option('--force', 'replace an existing configuration (it is kept as .bak)');
}
