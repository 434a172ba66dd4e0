import { renderProblems } from '../config/problems.ts';
import { EXIT, type ExitCode } from '../util/exit-code.ts';
import { findConfig, type GlobalFlags } from './context.ts';

/** `mmrelay config check`: the same validator as a start, without any side effect. */
export function configCheck(flags: GlobalFlags & { readonly strict?: boolean | undefined }): ExitCode {
  const found = findConfig(flags);
  if (found.file !== null) console.log(`Found configuration file at: ${found.file}`);
  for (const line of renderProblems(found.problems)) console.log(line);
  const warnings = found.problems.some(({ severity }) => severity === 'warning');
  if (found.config === null || (flags.strict === true && warnings)) {
    console.log('❌ Configuration is not valid.');
    return EXIT.config;
  }
  console.log('✅ Configuration file is valid!');
  return EXIT.ok;
}
