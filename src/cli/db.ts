import { checkDatabase, pruneDatabase, vacuumDatabase } from '../app/backup/database-care.ts';
import { systemClock } from '../util/clock.ts';
import { EXIT, type ExitCode } from '../util/exit-code.ts';
import { findConfig, type GlobalFlags, homePaths } from './context.ts';

export interface DbFlags extends GlobalFlags {
  readonly json?: boolean | undefined;
}

/** `mmrelay db check|vacuum|prune`. */
export function db(action: 'check' | 'vacuum' | 'prune', flags: DbFlags): ExitCode {
  const found = findConfig(flags);
  const paths = homePaths(flags, found);
  const say = (result: object, lines: readonly string[]): void => {
    if (flags.json === true) console.log(JSON.stringify(result, null, 2));
    else for (const line of lines) console.log(line);
  };
  if (action === 'check') {
    const view = checkDatabase(paths);
    const problems = view.problems ?? [];
    const rows = Object.entries(view.rows).map(([table, count]) => `   ${table}: ${count} rows`);
    const verdict = problems.length === 0 ? ['✅ The database is whole'] : problems.map((problem) => `❌ ${problem}`);
    say(view, [`${paths.database.path}: ${view.fileBytes} bytes, schema ${view.schemaVersion}`, ...rows, ...verdict]);
    return problems.length === 0 ? EXIT.ok : EXIT.store;
  }
  if (action === 'vacuum') {
    const result = vacuumDatabase(paths, systemClock);
    say(result, [`✅ ${paths.database.path}: ${result.beforeBytes} bytes before, ${result.afterBytes} now`]);
    return EXIT.ok;
  }
  const result = pruneDatabase(paths, { clock: systemClock, keepLinks: found.config?.database.messagesToKeep ?? 500 });
  say(result, [`✅ Forgotten: ${result.inbox} seen, ${result.outbox} finished, ${result.links} links`]);
  return EXIT.ok;
}
