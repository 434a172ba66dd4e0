import { type Problem, renderProblems } from '../config/problems.ts';
import { EXIT, type ExitCode } from '../util/exit-code.ts';
import { findConfig, type GlobalFlags } from './context.ts';

export interface CheckFlags extends GlobalFlags {
  readonly strict?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/** `mmrelay config check`: the same validator as a start, without any side effect. */
export function configCheck(flags: CheckFlags): ExitCode {
  const found = findConfig(flags);
  const warnings = found.problems.some(({ severity }) => severity === 'warning');
  const valid = found.config !== null && !(flags.strict === true && warnings);
  if (flags.json === true) {
    console.log(
      JSON.stringify({ valid, file: found.file, searched: found.searched, problems: found.problems }, null, 2),
    );
    return valid ? EXIT.ok : EXIT.config;
  }
  if (found.file !== null) console.log(`Found configuration file at: ${found.file}`);
  else sayNoFile(found.searched, found.problems);
  for (const line of renderProblems(found.problems)) console.log(line);
  console.log(valid ? '✅ Configuration file is valid!' : '❌ Configuration is not valid.');
  return valid ? EXIT.ok : EXIT.config;
}

function sayNoFile(searched: readonly string[], problems: readonly Problem[]): void {
  if (!problems.some(({ severity }) => severity === 'error')) {
    console.log('No configuration file: the environment alone is used.');
    return;
  }
  console.log('Error: No configuration file found in any of the following locations:');
  for (const path of searched) console.log(`  - ${path}`);
}
