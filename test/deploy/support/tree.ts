import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';

const root = join(dirname(fileURLToPath(import.meta.url)), '../../..');

/** Parsed YAML or JSON whose shape a test looks into. */
// biome-ignore lint/suspicious/noExplicitAny: manifests are looked into freely; a wrong path fails the test
export type Loose = any;

export const at = (...path: readonly string[]): string => join(root, ...path);
export const text = (path: string): string => readFileSync(at(path), 'utf8');
export const there = (path: string): boolean => existsSync(at(path));

/** Every document of a YAML file; throws with file name and place when it does not parse. */
export function documents(path: string): readonly Loose[] {
  return parseAllDocuments(text(path)).map((document) => {
    const problem = document.errors[0] ?? document.warnings[0];
    if (problem !== undefined) throw new Error(`${path}: ${problem.message}`);
    return document.toJS();
  });
}

/** The only document of a YAML file. */
export function document(path: string): Loose {
  const all = documents(path);
  if (all.length !== 1) throw new Error(`${path} has ${all.length} documents`);
  return all[0];
}

/** All files below a folder, relative to the repository, sorted. */
export function filesBelow(folder: string): readonly string[] {
  return readdirSync(at(folder), { recursive: true, encoding: 'utf8' })
    .map((name) => join(at(folder), name))
    .filter((path) => statSync(path).isFile())
    .map((path) => relative(root, path))
    .sort();
}

/** The pod template of a Deployment, Job or CronJob. */
export function podSpec(manifest: Loose): Loose {
  if (manifest.kind === 'CronJob') return manifest.spec.jobTemplate.spec.template.spec;
  if (manifest.kind === 'Pod') return manifest.spec;
  return manifest.spec.template.spec;
}
