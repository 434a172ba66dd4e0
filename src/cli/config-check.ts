import { existsSync } from 'node:fs';
import type { Finding } from '../app/doctor/finding.ts';
import { pluginProblems } from '../app/plugins/plugin-problems.ts';
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
  const problems = [...found.problems, ...pluginProblems(found, homePaths(flags, found))];
  const warnings = problems.some(({ severity }) => severity === 'warning');
  const valid = found.config !== null && !(flags.strict === true && warnings);
  const ask = async (): Promise<readonly Finding[]> =>
    valid && flags.online === true ? await askOnline(flags, found) : [];
  if (flags.json === true) {
    const { file, searched } = found;
    const online = await ask();
    console.log(JSON.stringify({ valid, file, searched, problems, online }, null, 2));
    return exitCode(valid, online);
  }
  if (found.file !== null && existsSync(found.file)) console.log(`Found configuration file at: ${found.file}`);
  else if (found.file === null) sayNoFile(found.searched, found.problems);
  for (const line of renderProblems(problems)) console.log(line);
  console.log(valid ? '✅ Configuration file is valid!' : '❌ Configuration is not valid.');
  const online = await ask();
  for (const { status, text, remedy } of online)
    console.log(`${ICONS[status]} ${text}${remedy === null || status === 'ok' ? '' : `\n      → ${remedy}`}`);
  return exitCode(valid, online);
}

const ICONS: Readonly<Record<Finding['status'], string>> = { ok: '✅', info: 'ℹ️ ', warning: '⚠️ ', error: '❌' };

/** What only the other sides know. A running relay holds the radio: then its own words count. */
async function askOnline(flags: CheckFlags, found: FoundConfig): Promise<readonly Finding[]> {
  const { examine } = await import('../app/doctor/examine.ts');
  const paths = homePaths(flags, found);
  const network = 'everything';
  const { findings, daemon } = await examine({ paths, found, env: processEnv(), clock: systemClock, network });
  const asked = findings.filter(({ group }) => group === 'matrix' || group === 'radio');
  const text = 'a relay of this home runs and holds the radio: it was asked instead';
  return daemon.running ? [...asked, { group: 'daemon', status: 'info', text, remedy: null }] : asked;
}

/** 4 when the homeserver does not take the account; a side that is away is a warning. */
function exitCode(valid: boolean, online: readonly Finding[]): ExitCode {
  if (!valid) return EXIT.config;
  const refused = online.some(({ group, status }) => group === 'matrix' && status === 'error');
  return refused ? EXIT.credentials : EXIT.ok;
}

function sayNoFile(searched: readonly string[], problems: readonly Problem[]): void {
  if (!problems.some(({ severity }) => severity === 'error')) {
    console.log('No configuration file: the environment alone is used.');
    return;
  }
  console.log('Error: No configuration file found in any of the following locations:');
  for (const path of searched) console.log(`  - ${path}`);
}
