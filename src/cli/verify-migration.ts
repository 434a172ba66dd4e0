import { verifyMigration } from '../app/migrate/verify.ts';
import { EXIT, type ExitCode } from '../util/exit-code.ts';
import { findConfig, type GlobalFlags, homePaths } from './context.ts';

/** `mmrelay verify-migration`: exit 1 when something is left to do. */
export function verifyMigrationCommand(flags: GlobalFlags & { readonly json?: boolean | undefined }): ExitCode {
  const result = verifyMigration(homePaths(flags, findConfig(flags)));
  const passed = result.errors.length === 0;
  if (flags.json === true) {
    console.log(JSON.stringify({ passed, ...result }, null, 2));
    return passed ? EXIT.ok : EXIT.runtime;
  }
  console.log('MMRelay Migration Verification (mmrelay verify-migration)');
  console.log(`\n📍 MMRELAY_HOME: ${result.home}`);
  console.log('\n📁 Runtime Artifacts:');
  for (const { name, path, exists, insideHome } of result.artefacts) {
    console.log(`   ${name}: ${path}`);
    console.log(`     - exists: ${exists ? 'present' : 'missing'}`);
    console.log(`     - inside HOME: ${insideHome ? 'yes' : 'no'}`);
  }
  console.log('\n🧭 Legacy Data Scan:');
  if (result.legacy.length === 0) console.log('   (none detected)');
  for (const path of result.legacy) console.log(`   - ${path}`);
  for (const warning of result.warnings) console.log(`\n⚠️  ${warning}`);
  console.log(passed ? '\n✅ Migration verification PASSED' : '\n❌ Migration verification FAILED');
  for (const error of result.errors) console.log(`   - ${error}`);
  if (result.cleanup.length > 0) {
    console.log('\n🧹 Cleanup Suggestions:');
    for (const folder of result.cleanup)
      console.log(`   - ${folder} belongs to another installation; remove it if unused`);
  }
  return passed ? EXIT.ok : EXIT.runtime;
}
