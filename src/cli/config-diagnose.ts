import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { processEnv } from '../config/env.ts';
import { parseConfig } from '../config/load.ts';
import { sampleConfig } from '../config/sample.ts';
import { EXIT, type ExitCode } from '../util/exit-code.ts';
import { plural } from '../util/plural.ts';
import { findConfig, type GlobalFlags } from './context.ts';

/** `mmrelay config diagnose`: where a configuration is looked for, and what is there. Changes nothing. */
export function configDiagnose(flags: GlobalFlags): ExitCode {
  const found = findConfig(flags);
  console.log('MMRelay Configuration System Diagnostics');
  console.log('='.repeat(40));
  console.log(`\n1. Config search paths: ${found.searched.length} locations`);
  for (const path of found.searched) console.log(`   ${placeLine(path, found.file)}`);
  console.log('\n2. Environment');
  const set = Object.keys(processEnv()).filter((name) => name.startsWith('MMRELAY_'));
  console.log(set.length === 0 ? '   no MMRELAY_ variables' : `   set: ${set.sort().join(', ')}`);
  console.log('\n3. The file that counts');
  const errors = found.problems.filter(({ severity }) => severity === 'error').length;
  console.log(`   ${found.file ?? '(none)'}`);
  console.log(errors === 0 ? '   ✅ it can be used' : `   ❌ ${plural(errors, 'error')}: run \`mmrelay config check\``);
  console.log('\n4. The sample file');
  const sample = parseConfig({ text: sampleConfig(), file: null, env: {} });
  const broken = sample.problems.some(({ message }) => message.includes('YAML'));
  console.log(broken ? '   ❌ it cannot be read: this is a defect of mmrelay' : '   ✅ it can be written and read');
  console.log('\nDiagnostics complete!');
  return EXIT.ok;
}

function placeLine(path: string, used: string | null): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat !== undefined)
    return `✅ ${path}${path === used ? '  <- used' : ''}${stat.isDirectory() ? ' (a directory!)' : ''}`;
  const folder = dirname(path);
  if (!existsSync(folder)) return `❌ ${path} (no such folder)`;
  try {
    accessSync(folder, constants.W_OK);
    return `✅ ${path} (not there; the folder can be written)`;
  } catch {
    return `⚠️  ${path} (not there; the folder cannot be written)`; // accessSync says no by throwing
  }
}
