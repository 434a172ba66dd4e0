import { existsSync } from 'node:fs';
import { processEnv } from '../config/env.ts';
import { type Problem, renderProblems } from '../config/problems.ts';
import type { FoundConfig } from '../config/search.ts';
import { systemClock } from '../util/clock.ts';
import { EXIT, type ExitCode } from '../util/exit-code.ts';
import { findConfig, type GlobalFlags, homePaths } from './context.ts';

export interface CheckFlags extends GlobalFlags {
  readonly strict?: boolean | undefined;
  readonly json?: boolean | undefined;
  readonly online?: boolean | undefined;
}

/** `mmrelay config check`: the same validator as a start, without any side effect; `--online` asks radio and homeserver. */
export async function configCheck(flags: CheckFlags): Promise<ExitCode> {
  const found = findConfig(flags);
  const warnings = found.problems.some(({ severity }) => severity === 'warning');
  const valid = found.config !== null && !(flags.strict === true && warnings);
  if (flags.json === true) {
    console.log(
      JSON.stringify({ valid, file: found.file, searched: found.searched, problems: found.problems }, null, 2),
    );
    return valid ? EXIT.ok : EXIT.config;
  }
  if (found.file !== null && existsSync(found.file)) console.log(`Found configuration file at: ${found.file}`);
  else if (found.file === null) sayNoFile(found.searched, found.problems);
  for (const line of renderProblems(found.problems)) console.log(line);
  console.log(valid ? '✅ Configuration file is valid!' : '❌ Configuration is not valid.');
  if (!valid) return EXIT.config;
  return flags.online === true ? checkOnline(flags, found) : EXIT.ok;
}

/** What only the other sides know: 4 when the homeserver refuses the account; a side that is away is a warning. */
async function checkOnline(flags: CheckFlags, found: FoundConfig): Promise<ExitCode> {
  const { examine } = await import('../app/doctor/examine.ts');
  const paths = homePaths(flags, found);
  const { findings, daemon } = await examine({
    paths,
    found,
    env: processEnv(),
    clock: systemClock,
    network: 'homeserver-and-radio',
  });
  const asked = findings.filter(({ group }) => group === 'matrix' || group === 'radio');
  for (const { status, text, remedy } of asked) {
    const icon = status === 'ok' ? '✅' : status === 'error' ? '❌' : '⚠️ ';
    console.log(`${icon} ${text}${remedy === null || status === 'ok' ? '' : `\n      → ${remedy}`}`);
  }
  if (daemon.running) console.log('ℹ️  The radio was not asked: the running relay holds it.');
  return asked.some(({ group, status }) => group === 'matrix' && status === 'error') ? EXIT.credentials : EXIT.ok;
}

function sayNoFile(searched: readonly string[], problems: readonly Problem[]): void {
  if (!problems.some(({ severity }) => severity === 'error')) {
    console.log('No configuration file: the environment alone is used.');
    return;
  }
  console.log('Error: No configuration file found in any of the following locations:');
  for (const path of searched) console.log(`  - ${path}`);
}
