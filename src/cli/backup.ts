import { readFileSync } from 'node:fs';
import { makeBackup } from '../app/backup/backup.ts';
import { restoreBackup } from '../app/backup/restore.ts';
import { processEnv } from '../config/env.ts';
import { expandPath } from '../config/expand.ts';
import { systemClock } from '../util/clock.ts';
import { EXIT, type ExitCode } from '../util/exit-code.ts';
import { plural } from '../util/plural.ts';
import { errorText, RelayError } from '../util/relay-error.ts';
import { findConfig, type GlobalFlags, homePaths } from './context.ts';

export interface BackupFlags extends GlobalFlags {
  readonly output?: string | undefined;
  readonly encrypt?: boolean | undefined;
  readonly passwordFile?: string | undefined;
}

export interface RestoreFlags extends GlobalFlags {
  readonly check?: boolean | undefined;
  readonly passwordFile?: string | undefined;
}

/** `mmrelay backup`. */
export async function backup(flags: BackupFlags): Promise<ExitCode> {
  const found = findConfig(flags);
  const paths = homePaths(flags, found);
  const date = new Date(systemClock.now()).toISOString().replace(/[-:]|\.\d+/g, '');
  const name = flags.output ?? `mmrelay-backup-${date}.tar.gz${flags.encrypt === true ? '.sealed' : ''}`;
  const password = passwordOf(flags);
  if (flags.encrypt === true && password === null) {
    console.error('--encrypt needs a password: set MMRELAY_BACKUP_PASSWORD or give --password-file');
    return EXIT.usage;
  }
  const result = await makeBackup({
    paths,
    configFile: found.file,
    output: expandPath(name, { env: processEnv(), cwd: process.cwd() }),
    password: flags.encrypt === true ? password : null,
    clock: systemClock,
  });
  console.log(`✅ ${result.output}: ${result.files.length} files, ${result.bytes} bytes`);
  if (flags.encrypt !== true) console.log('   It holds tokens and keys: keep it as safe as the home.');
  return EXIT.ok;
}

/** `mmrelay restore`. */
export async function restore(flags: RestoreFlags, archive: string): Promise<ExitCode> {
  const { home } = homePaths(flags);
  const { manifest, kept } = await restoreBackup({
    archive: expandPath(archive, { env: processEnv(), cwd: process.cwd() }),
    home: home.path,
    password: passwordOf(flags),
    clock: systemClock,
    checkOnly: flags.check === true,
  });
  const what = `${plural(manifest.files.length, 'file')} of ${manifest.created}, made by mmrelay ${manifest.mmrelay}`;
  if (flags.check === true) {
    console.log(`✅ The archive is good: ${what}`);
    return EXIT.ok;
  }
  console.log(`✅ Restored into ${home.path}: ${what}`);
  if (kept !== null) console.log(`   What was there is kept in ${kept}`);
  console.log('   Run `mmrelay doctor`, then start the relay.');
  return EXIT.ok;
}

function passwordOf(flags: { readonly passwordFile?: string | undefined }): string | null {
  if (flags.passwordFile === undefined) return processEnv().MMRELAY_BACKUP_PASSWORD ?? null;
  try {
    return readFileSync(flags.passwordFile, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw new RelayError('CONFIG_PASSWORD_FILE', `The password cannot be read: ${errorText(error)}`);
  }
}
