import { EXIT, type ExitCode } from '../util/exit-code.ts';
import { findConfig, type GlobalFlags, homePaths } from './context.ts';
import { pathLines } from './path-lines.ts';

/** `mmrelay paths`: where everything lies, as it is in effect. Creates nothing. */
export function paths(flags: GlobalFlags & { readonly json?: boolean | undefined }): ExitCode {
  const found = findConfig(flags);
  const all = homePaths(flags, found);
  if (flags.json === true) {
    console.log(JSON.stringify({ config: found.file, ...all }, null, 2));
    return EXIT.ok;
  }
  console.log(`\n${'='.repeat(60)}`);
  console.log('MMRelay Path Configuration (mmrelay paths)');
  console.log('='.repeat(60));
  for (const line of pathLines({ paths: all, configFile: found.file })) console.log(line);
  console.log('\nPlugin Roots Searched:');
  console.log(`   Primary: ${all.plugins.path}`);
  if (all.legacySources.length > 0) {
    console.log('\n⚠️  There is data of another installation. To bring it here:');
    console.log('   mmrelay migrate --dry-run');
    console.log('   mmrelay migrate');
  }
  return EXIT.ok;
}
