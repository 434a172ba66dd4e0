// Puts together what the image runs: dist/, package.json, the sample config, and of node_modules only the packages
// that the bundle leaves outside (natives and what they load), without sources and other platforms' binaries.
//   node deploy/docker/collect-runtime.mjs OUT [amd64|arm64|arm]
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, extname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { externals } from '../../.ci/externals.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const out = resolve(process.argv[2] ?? 'runtime');
const architecture = process.argv[3] || process.arch;
const platforms = { amd64: 'linux-x64', x64: 'linux-x64', arm64: 'linux-arm64', arm: 'linux-arm' };
const target = platforms[architecture];
if (target === undefined) throw new Error(`The image exists for amd64, arm64 and arm (v7), not for ${architecture}`);

/** The one native that comes ready-made for 64 bits only; compile-sqlite.sh puts it here, where its package looks. */
const compiledSqlite = 'node_modules/better-sqlite3/build/Release/better_sqlite3.node';
if (target === 'linux-arm' && !existsSync(join(root, compiledSqlite))) {
  throw new Error('better-sqlite3 has no build for 32-bit ARM: run deploy/docker/compile-sqlite.sh arm first');
}

const json = (path) => JSON.parse(readFileSync(path, 'utf8'));
const files = (folder) =>
  readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

/** The folder of package `name` as Node would find it from `from`. */
function find(name, from) {
  for (let at = from; at.startsWith(root); at = dirname(at)) {
    const candidate = join(at, 'node_modules', name);
    if (existsSync(join(candidate, 'package.json'))) return candidate;
  }
  return undefined;
}

/** Dependencies that are only for building natives, and usocket, which has no prebuilt binary and dbus-next does without. */
const left = new Set(['node-addon-api', 'node-gyp', 'patch-package', 'usocket']);

/** Folders of the named packages and of all that they depend on. */
function closure(names) {
  const found = new Set();
  const visit = (name, from, optional) => {
    if (left.has(name)) return;
    const folder = find(name, from);
    if (folder === undefined) {
      if (optional) return;
      throw new Error(`${name}, needed by ${relative(root, from) || 'mmrelay'}, is not installed`);
    }
    if (found.has(folder)) return;
    found.add(folder);
    const { dependencies = {}, optionalDependencies = {} } = json(join(folder, 'package.json'));
    for (const child of Object.keys(dependencies)) visit(child, folder, child in optionalDependencies);
    for (const child of Object.keys(optionalDependencies)) visit(child, folder, true);
  };
  for (const name of names) visit(name, root, false);
  return [...found];
}

const dropped = new Set(['deps', 'src', 'test', 'tests', 'examples', 'example', 'docs', '.github', 'libusb', 'build']);
const droppedTypes = new Set([
  '.ts',
  '.mts',
  '.cts',
  '.map',
  '.md',
  '.markdown',
  '.gyp',
  '.gypi',
  '.c',
  '.cc',
  '.cpp',
  '.h',
  '.hpp',
]);

/** Of packages that are mostly data, the files that we read. */
const read = {
  'world-atlas': /^countries-(50|110)m\.json$/,
  'dejavu-fonts-ttf': /^ttf\/DejaVuSans(-Bold)?\.ttf$/,
};

/** Whether a path inside a package belongs into the image. */
function wanted(folder, path) {
  const parts = relative(folder, path).split('/');
  if (parts[0] === 'node_modules') return false; // copied on its own when something needs it
  const inPrebuilds = parts.indexOf('prebuilds');
  if (inPrebuilds >= 0 && parts.length > inPrebuilds + 1) {
    const platform = parts[inPrebuilds + 1].replace('.node', '');
    return platform === target && !/musl/.test(parts.at(-1));
  }
  if (statSync(path).isDirectory()) return !(parts.length === 1 && dropped.has(parts[0])) || hasCode(path);
  if (/licen[cs]e|package\.json$/i.test(path)) return true;
  return !droppedTypes.has(extname(path)) && (read[basename(folder)]?.test(relative(folder, path)) ?? true);
}

/** Some packages keep their JavaScript in src/: then the folder stays. */
const hasCode = (folder) =>
  files(folder).some((file) => /\.[cm]?js(on)?$/.test(file)) &&
  !/\/(deps|tests?|examples?|docs|\.github)$/.test(folder);

mkdirSync(out, { recursive: true });
cpSync(join(root, 'dist'), join(out, 'dist'), { recursive: true, filter: (path) => !/\.map$|\/types$/.test(path) });
for (const file of ['package.json', 'sample_config.yaml', 'docs/LICENSE'])
  cpSync(join(root, file), join(out, basename(file)));
const packages = closure(externals);
for (const folder of packages) {
  cpSync(folder, join(out, relative(root, folder)), {
    recursive: true,
    filter: (path) => path === folder || wanted(folder, path),
  });
}
if (target === 'linux-arm') cpSync(join(root, compiledSqlite), join(out, compiledSqlite));
const bytes = files(out).reduce((sum, file) => sum + statSync(file).size, 0);
process.stdout.write(
  `runtime for ${target}: ${(bytes / 1e6).toFixed(1)} MB, outside the bundle: ${packages.length} packages\n`,
);
