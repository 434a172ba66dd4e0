import { realpathSync } from 'node:fs';
import { installUnit, migrateUnit, reloadSystemd, type Scope, unitPath } from '../app/service/install.ts';
import { unitText } from '../app/service/unit.ts';
import { processEnv } from '../config/env.ts';
import { expandPath } from '../config/expand.ts';
import { EXIT, type ExitCode } from '../util/exit-code.ts';
import { type GlobalFlags, homePaths } from './context.ts';
import { type MigrateFlags, migrate } from './migrate.ts';

export interface ServiceFlags extends GlobalFlags {
  readonly system?: boolean | undefined;
  readonly print?: boolean | undefined;
  readonly force?: boolean | undefined;
}

/** `mmrelay service install`: writes the unit and says what to run next; asks nothing. */
export async function serviceInstall(flags: ServiceFlags): Promise<ExitCode> {
  const env = processEnv();
  const scope: Scope = flags.system === true ? 'system' : 'user';
  const home = flags.system === true && flags.home === undefined ? '/var/lib/mmrelay' : homePaths(flags).home.path;
  const config = flags.config === undefined ? [] : ['--config', expandPath(flags.config, { env, cwd: process.cwd() })];
  const text = unitText({ scope, launcher: launcher(), args: ['--home', home, ...config], writable: [home] });
  if (flags.print === true) {
    process.stdout.write(text);
    return EXIT.ok;
  }
  const path = unitPath(scope, env);
  const outcome = installUnit(path, text, { force: flags.force === true });
  if (outcome === 'differs') {
    console.error(
      `❌ ${path} exists and differs: mmrelay service install --force replaces it (it is kept as .bak), --print shows the new one.`,
    );
    return EXIT.runtime;
  }
  console.log(`✅ Service file ${outcome}: ${path}`);
  const failure = outcome === 'unchanged' ? null : await reloadSystemd(scope);
  const user = scope === 'user' ? ' --user' : '';
  if (failure !== null) console.log(`⚠️  systemd was not told (${failure}): run systemctl${user} daemon-reload`);
  console.log('Next:');
  console.log(`   systemctl${user} enable --now mmrelay    start it now and at boot`);
  if (scope === 'user') console.log('   loginctl enable-linger             let it run while you are logged out');
  console.log(`   systemctl${user} status mmrelay`);
  console.log(`   journalctl${user} -u mmrelay -f`);
  return EXIT.ok;
}

/** `mmrelay service migrate`: the data, then the unit of mmrelay 1.x. */
export async function serviceMigrate(flags: MigrateFlags): Promise<ExitCode> {
  const code = migrate(flags);
  if (code !== EXIT.ok) return code;
  const path = unitPath('user', processEnv());
  const dryRun = flags.dryRun === true;
  if (!migrateUnit(path, launcher(), { dryRun })) {
    console.log(`Service: nothing to change in ${path}`);
    return EXIT.ok;
  }
  if (dryRun) {
    console.log(`Service: ${path} would start this program (no changes were made)`);
    return EXIT.ok;
  }
  const failure = await reloadSystemd('user');
  console.log(`✅ Service: ${path} starts this program now; its settings are kept, the old file is ${path}.bak`);
  console.log(
    failure === null ? 'Next: systemctl --user restart mmrelay' : 'Next: systemctl --user daemon-reload, then restart',
  );
  return EXIT.ok;
}

/** This very program, wherever it is installed. */
function launcher(): string[] {
  const [node = process.execPath, script = ''] = process.argv;
  return [node, realpathSync(script)];
}
