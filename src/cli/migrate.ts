import { dirname } from 'node:path';
import { type MigrationReport, runMigration, undoLastMigration } from '../app/migrate/run-migration.ts';
import { processEnv } from '../config/env.ts';
import { expandPath } from '../config/expand.ts';
import { systemClock } from '../util/clock.ts';
import { EXIT, type ExitCode } from '../util/exit-code.ts';
import { plural } from '../util/plural.ts';
import { RelayError } from '../util/relay-error.ts';
import { type GlobalFlags, homePaths } from './context.ts';

export interface MigrateFlags extends GlobalFlags {
  readonly dryRun?: boolean | undefined;
  readonly force?: boolean | undefined;
  readonly from?: string | undefined;
  readonly undo?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/** `mmrelay migrate`. */
export function migrate(flags: MigrateFlags): ExitCode {
  const paths = homePaths(flags);
  const home = paths.home.path;
  const place = { env: processEnv(), cwd: process.cwd() };
  const from = flags.from === undefined ? [] : [expandPath(flags.from, place)];
  const options = { home, from, clock: systemClock, dryRun: flags.dryRun === true, force: flags.force === true };
  const others = paths.legacySources.filter((folder) => !from.includes(folder));
  try {
    const report = flags.undo === true ? undoLastMigration(options) : runMigration(options);
    if (flags.json === true)
      console.log(JSON.stringify({ ok: true, home, otherInstallations: others, ...report }, null, 2));
    else print(report, { flags, home, others });
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof RelayError)) throw error;
    if (flags.json === true) {
      console.log(JSON.stringify({ ok: false, home, code: error.code, error: error.message }, null, 2));
    } else {
      head(flags, home);
      console.log(`\n❌ Migration failed: ${error.message}`);
    }
    return EXIT.runtime;
  }
}

interface Context {
  readonly flags: MigrateFlags;
  readonly home: string;
  readonly others: readonly string[];
}

function head(flags: MigrateFlags, home: string): void {
  console.log('MMRelay Migration');
  console.log('=================');
  console.log(`Mode: ${flags.undo === true ? 'UNDO' : flags.dryRun === true ? 'DRY RUN' : 'APPLY'}`);
  console.log(`Force overwrite: ${flags.force === true ? 'yes' : 'no'}`);
  console.log(`MMRELAY_HOME: ${home}`);
}

function print(report: MigrationReport, { flags, home, others }: Context): void {
  head(flags, home);
  const roots = new Set([...report.files, ...report.aside].map(({ source }) => rootOf(source, home)));
  const sources = [...roots].map((root) => (root === home ? 'HOME (same-home legacy data)' : root));
  console.log(`Legacy sources detected: ${sources.length === 0 ? 'none' : sources.join(', ')}`);
  for (const folder of others)
    console.log(`Other installation, left alone: ${folder} (bring it with --from ${folder})`);
  console.log(`\n${titleOf(report)}`);
  for (const line of stepLines(report, flags.dryRun === true)) console.log(line);
  for (const { source, target } of report.conflicts) console.log(`  ❌ conflict: ${source}\n     in place: ${target}`);
  for (const note of report.notes) console.log(`  ℹ️  ${note}`);
  const count = report.files.length + report.aside.length;
  const verb = report.outcome === 'planned' ? 'to move' : report.outcome === 'undone' ? 'given back' : 'moved';
  console.log(
    `\nSummary: ${plural(count, 'file')} ${verb}, ${plural(report.bytes, 'byte')}, ${plural(report.conflicts.length, 'conflict')}`,
  );
  if (report.outcome === 'planned') console.log('Next step: run `mmrelay migrate` to apply changes.');
  if (report.outcome === 'migrated' || report.outcome === 'resumed')
    console.log('To take it back: run `mmrelay migrate --undo`.');
  console.log('Verification: run `mmrelay verify-migration`.');
}

function titleOf({ outcome, conflicts }: MigrationReport): string {
  switch (outcome) {
    case 'nothing':
      return '✅ Nothing to migrate';
    case 'planned':
      return conflicts.length === 0 ? '✅ Dry-run completed successfully' : '❌ Dry-run: conflicts stand in the way';
    case 'migrated':
      return '✅ Migration completed successfully';
    case 'resumed':
      return '✅ Interrupted migration completed successfully';
    case 'undone':
      return '✅ Migration undone: everything is where it was';
  }
}

function stepLines({ files, aside, rows }: MigrationReport, dryRun: boolean): string[] {
  const lines: string[] = [];
  for (const kind of new Set(files.map((file) => file.kind))) {
    const group = files.filter((file) => file.kind === kind);
    const [first] = group;
    if (first === undefined) continue;
    const one = group.length === 1;
    lines.push(`  ✅ ${kind}:`);
    lines.push(`     from: ${one ? first.source : dirname(first.source)}`);
    lines.push(`       to: ${one ? first.target : dirname(first.target)}`);
    lines.push('   action: MOVE');
    lines.push(`    files: ${group.length}`);
    if (kind === 'database' && Object.keys(rows).length > 0)
      lines.push(
        `     rows: ${Object.entries(rows)
          .map(([table, count]) => `${table} ${count}`)
          .join(', ')}`,
      );
    if (dryRun) lines.push('     note: no changes were made');
  }
  for (const { source, why } of aside) lines.push(`  ✅ put aside: ${source} (${why})`);
  return lines;
}

function rootOf(source: string, home: string): string {
  return source.startsWith(`${home}/`) ? home : dirname(source);
}
