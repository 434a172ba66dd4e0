// Bundles the program into dist/: pure-JS dependencies and the crypto inside, natives outside (they are dependencies of
// the package). Code is split at dynamic imports, so that `mmrelay doctor --liveness` does not read the Matrix SDK.
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { externals } from './externals.mjs';
import { stripWasm } from './strip-wasm.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const outdir = join(root, 'dist');
rmSync(outdir, { recursive: true, force: true });

const entryPoints = {
  mmrelay: join(root, 'src/main.ts'),
  // The first file of a plugin's thread.
  'plugin-worker': join(root, 'src/plugins/worker/main.ts'),
};
const api = join(root, 'src/plugins/api.ts');
if (existsSync(api)) entryPoints['plugin-api'] = api;

const result = await build({
  absWorkingDir: root,
  entryPoints,
  outdir,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node22',
  legalComments: 'external',
  minifySyntax: true,
  // V8 keeps the text of all it has read: 2 MB less. Names and lines stay, for stack traces.
  minifyWhitespace: true,
  lineLimit: 200,
  chunkNames: 'chunks/[name]-[hash]',
  // CommonJS dependencies inside an ES module bundle still ask for `require`.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  external: externals,
  metafile: true,
  logLevel: 'warning',
});

// The crypto's loader, bundled into a chunk, looks for its program in `pkg` beside itself.
const wasm = 'pkg/matrix_sdk_crypto_wasm_bg.wasm';
const cryptoFolder = dirname(createRequire(import.meta.url).resolve('@matrix-org/matrix-sdk-crypto-wasm'));
mkdirSync(join(outdir, 'chunks/pkg'));
writeFileSync(join(outdir, 'chunks', wasm), stripWasm(readFileSync(join(cryptoFolder, wasm))));

chmodSync(join(outdir, 'mmrelay.js'), 0o755);
const bytes = Object.values(result.metafile.outputs).reduce((sum, output) => sum + output.bytes, 0);
process.stdout.write(`dist: ${readdirSync(outdir).length} entries, ${(bytes / 1e6).toFixed(1)} MB\n`);
