import type { BackupFlags, RestoreFlags } from '../backup.ts';
import type { GlobalFlags } from '../context.ts';
import type { DbFlags } from '../db.ts';
import type { MigrateFlags } from '../migrate.ts';
import type { ServiceFlags } from '../service.ts';
import { addCommand, type Registry } from './registry.ts';

/** migrate, verify-migration, backup, restore, db, service, completion. */
export function addDataCommands(registry: Registry): void {
  addMigration(registry);
  addBackup(registry);
  addDatabase(registry);
  addService(registry);
}

function addMigration(registry: Registry): void {
  addCommand(
    registry,
    registry.program,
    {
      usage: 'migrate',
      description: 'bring the data of mmrelay 1.2 to 1.4 into the present layout',
      more: `
Nothing is lost: files are copied, verified and put in place, then the old ones go to .migration/ in the home.
Data of other folders is brought only when named with --from. docs/MIGRATION.md has the whole story.`,
    },
    async (flags: MigrateFlags) => (await import('../migrate.ts')).migrate(flags),
  )
    .option('--dry-run', 'only say what would be done')
    .option('--force', 'replace files that are in the way (they are kept in the backup)')
    .option('--from <folder>', 'bring the data of this folder, too')
    .option('--undo', 'put everything back as it was before the last migration')
    .option('--json', 'as JSON');
  addCommand(
    registry,
    registry.program,
    { usage: 'verify-migration', description: 'is anything left to migrate?' },
    async (flags: GlobalFlags & { readonly json?: boolean }) =>
      (await import('../verify-migration.ts')).verifyMigrationCommand(flags),
  ).option('--json', 'as JSON');
}

function addBackup(registry: Registry): void {
  addCommand(
    registry,
    registry.program,
    {
      usage: 'backup',
      description: 'one archive of database, keys, credentials and configuration; also while the relay runs',
      more: '\nThe archive holds tokens and keys: keep it as safe as the home. --encrypt asks MMRELAY_BACKUP_PASSWORD.',
    },
    async (flags: BackupFlags) => (await import('../backup.ts')).backup(flags),
  )
    .option('--output <path>', 'where to (default: mmrelay-backup-<date>.tar.gz here)')
    .option('--encrypt', 'encrypt it with a password')
    .option('--password-file <path>', 'read that password from a file');
  addCommand(
    registry,
    registry.program,
    { usage: 'restore <archive>', description: 'put a backup into the home; what is there is kept aside' },
    async (flags: RestoreFlags, args) => (await import('../backup.ts')).restore(flags, args[0] ?? ''),
  )
    .option('--check', 'only check the archive')
    .option('--password-file <path>', 'the password of an encrypted archive');
}

function addDatabase(registry: Registry): void {
  const db = registry.program.command('db').description('the database: check, vacuum, prune');
  const sub = (usage: 'check' | 'vacuum' | 'prune', description: string): void => {
    addCommand(registry, db, { usage, description }, async (flags: DbFlags) => {
      return (await import('../db.ts')).db(usage, flags);
    }).option('--json', 'as JSON');
  };
  sub('check', 'read every page and say what is wrong; also while the relay runs');
  sub('vacuum', 'give unused space back (the relay must be stopped)');
  sub('prune', 'forget what is finished and old (the relay must be stopped)');
}

function addService(registry: Registry): void {
  const service = registry.program.command('service').description('run the relay as a systemd service');
  addCommand(
    registry,
    service,
    { usage: 'install', description: 'write a systemd unit for this user, or with --system for the machine' },
    async (flags: ServiceFlags) => (await import('../service.ts')).serviceInstall(flags),
  )
    .option('--system', 'a unit for the whole machine (needs root)')
    .option('--print', 'only show the unit')
    .option('--force', 'replace a unit that was changed by hand (it is kept with .bak)');
  addCommand(
    registry,
    service,
    { usage: 'migrate', description: 'migrate, then let the unit of mmrelay 1.x start this version, settings kept' },
    async (flags: MigrateFlags) => (await import('../service.ts')).serviceMigrate(flags),
  )
    .option('--dry-run', 'only say what would be done')
    .option('--force', 'as for migrate');
  const completions = addCommand(
    registry,
    registry.program,
    { usage: 'completion <shell>', description: 'completions for bash, zsh or fish', more: COMPLETION_HELP },
    async (_flags: GlobalFlags, args) => {
      return (await import('../completion/completion.ts')).completion(args[0] ?? '', registry.program);
    },
  );
  completions.registeredArguments[0]?.choices(['bash', 'zsh', 'fish']);
}

const COMPLETION_HELP = `
  bash: mmrelay completion bash > ~/.local/share/bash-completion/completions/mmrelay
  zsh:  mmrelay completion zsh > "\${fpath[1]}/_mmrelay"
  fish: mmrelay completion fish > ~/.config/fish/completions/mmrelay.fish`;
