// Writes the copies that kustomize's rules make necessary: base/*.yaml, and the manifests inside
// overlays/digest/kustomization.yaml, which has to build with nothing but the five files of the guide.
//   node deploy/k8s/sync.mjs           write
//   node deploy/k8s/sync.mjs --check   exit 1 when a copy is out of date
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const manifests = ['pvc.yaml', 'networkpolicy.yaml', 'deployment.yaml'];
const marker = '# --- written by deploy/k8s/sync.mjs from the files two folders up; edit those ---\n';

const withoutComments = (text) => text.replace(/^\s*#.*\n/gm, '').replace(/\s+# .*$/gm, '');
const indent = (text, by) => text.replace(/^(?=.)/gm, ' '.repeat(by));

/** The top-level block `key:` of a manifest, without its first line. */
const block = (text, key) => new RegExp(`^${key}:\\n((?: .*\\n?)+)`, 'm').exec(text)[1].trimEnd();
const scalar = (text, key) => new RegExp(`^${key}: (.+)$`, 'm').exec(text)[1];

/** kustomize generates only ConfigMaps without further files, so each starts as one and is patched into its kind. */
function inlined(file) {
  const text = withoutComments(readFileSync(join(here, file), 'utf8'));
  const operation = (op, path, value) => `      - op: ${op}\n        path: ${path}\n        value:${value}\n`;
  const body = (key) => `\n${indent(block(text, key), 8)}`;
  return [
    `  - target: { kind: ConfigMap, name: from-${file.replace('.yaml', '')} }\n`,
    '    options: { allowKindChange: true, allowNameChange: true }\n    patch: |-\n',
    operation('replace', '/apiVersion', ` ${scalar(text, 'apiVersion')}`),
    operation('replace', '/kind', ` ${scalar(text, 'kind')}`),
    operation('replace', '/metadata', body('metadata')),
    operation('add', '/spec', body('spec')),
  ].join('');
}

function digestOverlay(current) {
  const head = current.slice(0, current.indexOf(marker));
  const seeds = manifests.map((file) => `  - name: from-${file.replace('.yaml', '')}\n`).join('');
  const options = 'generatorOptions:\n  disableNameSuffixHash: true\n';
  return `${head}${marker}${options}configMapGenerator:\n${seeds}patches:\n${manifests.map(inlined).join('')}`;
}

const wanted = manifests.map((file) => [join(here, 'base', file), () => readFileSync(join(here, file), 'utf8')]);
wanted.push([join(here, 'overlays/digest/kustomization.yaml'), digestOverlay]);

let stale = 0;
for (const [path, make] of wanted) {
  let current = '';
  try {
    current = readFileSync(path, 'utf8');
  } catch {
    // Not there yet: written below.
  }
  const next = make(current);
  if (next === current) continue;
  stale += 1;
  if (process.argv.includes('--check')) process.stderr.write(`out of date: ${path} (run node deploy/k8s/sync.mjs)\n`);
  else writeFileSync(path, next);
}
process.exitCode = process.argv.includes('--check') && stale > 0 ? 1 : 0;
