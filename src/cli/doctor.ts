import { type Examination, examine } from '../app/doctor/examine.ts';
import type { Finding, FindingGroup, FindingStatus } from '../app/doctor/finding.ts';
import { type Verification, verifyMigration } from '../app/migrate/verify.ts';
import { VERSION } from '../app/version.ts';
import { processEnv } from '../config/env.ts';
import { systemClock } from '../util/clock.ts';
import { EXIT, type ExitCode } from '../util/exit-code.ts';
import { plural } from '../util/plural.ts';
import { findConfig, type GlobalFlags, homePaths } from './context.ts';
import { pathLines } from './path-lines.ts';

export interface DoctorFlags extends GlobalFlags {
  readonly liveness?: boolean | undefined;
  readonly migration?: boolean | undefined;
  readonly online?: boolean | undefined;
  readonly offline?: boolean | undefined;
  readonly json?: boolean | undefined;
}

const ICONS: Readonly<Record<FindingStatus, string>> = { ok: '✅', info: 'ℹ️ ', warning: '⚠️ ', error: '❌' };

const BLOCKS: readonly (readonly [FindingGroup, string])[] = [
  ['config', '📝 Configuration:'],
  ['daemon', '🏃 Daemon:'],
  ['home', '🏠 Home:'],
  ['clock', '🕒 Clock:'],
  ['e2ee', '🔐 E2EE:'],
  ['matrix', '💬 Matrix:'],
  ['radio', '📡 Radio:'],
  ['disk', '💾 Disk Space:'],
  ['database', '🗄️  Database:'],
  ['plugins', '🧩 Plugins:'],
  ['migration', '🔄 Migration Status:'],
];

/** `mmrelay doctor`: 0 fine or warnings, 1 unhealthy. */
export async function doctor(flags: DoctorFlags): Promise<ExitCode> {
  const found = findConfig(flags);
  const paths = homePaths(flags, found);
  const network = flags.offline === true ? 'none' : flags.online === true ? 'homeserver' : 'auto';
  const result = await examine({ paths, found, env: processEnv(), clock: systemClock, network });
  const verification = flags.migration === true ? verifyMigration(paths) : null;
  const healthy = result.healthy && (verification?.errors.length ?? 0) === 0;
  if (flags.json === true) {
    const versions = { mmrelay: VERSION, node: process.version, platform: `${process.platform} ${process.arch}` };
    console.log(JSON.stringify({ ...result, healthy, versions, migration: verification, paths }, null, 2));
    return healthy ? EXIT.ok : EXIT.runtime;
  }
  console.log(`\n${'='.repeat(60)}\nMMRelay Diagnostics (mmrelay doctor)\n${'='.repeat(60)}`);
  console.log('\n🔢 Version:');
  console.log(`   MMRelay: ${VERSION}`);
  console.log(`   Node.js: ${process.version}`);
  console.log(`   Platform: ${process.platform} ${process.arch}`);
  for (const line of pathLines({ paths, configFile: found.file })) console.log(line);
  for (const [group, title] of BLOCKS)
    printBlock(
      title,
      result.findings.filter((finding) => finding.group === group),
    );
  if (verification !== null) printVerification(verification);
  console.log(`\n${summary(result, healthy)}`);
  return healthy ? EXIT.ok : EXIT.runtime;
}

function printBlock(title: string, findings: readonly Finding[]): void {
  console.log(`\n${title}`);
  for (const { status, text, remedy } of findings) {
    console.log(`   ${ICONS[status]} ${text}`);
    if (remedy !== null && status !== 'ok') console.log(`      → ${remedy}`);
  }
}

function printVerification({ errors, warnings }: Verification): void {
  console.log('\n🧭 Migration Verification:');
  for (const error of errors) console.log(`   ❌ ${error}`);
  for (const warning of warnings) console.log(`   ⚠️  ${warning}`);
  if (errors.length === 0 && warnings.length === 0) console.log('   ✅ nothing is left to migrate');
}

function summary({ findings, daemon }: Examination, healthy: boolean): string {
  const count = (status: FindingStatus): number => findings.filter((finding) => finding.status === status).length;
  const [errors, warnings] = [count('error'), count('warning')];
  if (errors === 0 && warnings === 0 && healthy)
    return daemon.running ? '✅ All is well.' : '✅ All is well; no relay is running.';
  const counts = `${plural(errors, 'error')}, ${plural(warnings, 'warning')}`;
  if (!healthy) return `❌ Unhealthy: ${counts}.`;
  return errors > 0 && daemon.running ? `⚠️  ${counts}; a restart would not help.` : `⚠️  It works: ${counts}.`;
}
