#!/usr/bin/env node
// The SQLite library speaks Node-API 10; on less it ends in a segmentation fault.
if (Number(process.versions.napi) < 10) {
  process.stderr.write(`mmrelay needs Node.js 22.14 or newer (not 23.0 to 23.5); this is ${process.versions.node}.\n`);
  process.exit(1);
}
// Loaded only now: an older Node would crash in a native module before it could say why.
const { runCli } = await import('./cli/program.ts');
process.exit(await runCli(process.argv.slice(2)));
