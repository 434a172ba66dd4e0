#!/usr/bin/env node
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 12)) {
  process.stderr.write(`mmrelay needs Node.js 22.12 or newer; this is ${process.versions.node}.\n`);
  process.exit(1);
}
// Loaded only now: an older Node would crash in a native module before it could say why.
const { runCli } = await import('./cli/program.ts');
process.exit(await runCli(process.argv.slice(2)));
