import { spawnSync } from 'node:child_process';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { at, document, documents, filesBelow, type Loose, text, there } from './support/tree.ts';

const manifests = filesBelow('deploy/k8s').filter((path) => path.endsWith('.yaml'));
const kustomizations = manifests.filter((path) => path.endsWith('/kustomization.yaml'));
const overlays = ['digest', 'serial', 'ble', 'restricted', 'configmap', 'credentials', 'metrics'];

/** Folders and files that a kustomization names. */
function references(path: string): readonly string[] {
  const file = document(path);
  const named: readonly string[] = [...(file.resources ?? []), ...(file.components ?? [])];
  return named.map((name) => normalize(join(dirname(path), name)));
}

describe('deploy/k8s', () => {
  it('has the five files of the guide', () => {
    const five = ['pvc', 'networkpolicy', 'deployment', 'kustomization', 'overlays/digest/kustomization'];
    for (const name of five) expect(there(`deploy/k8s/${name}.yaml`), name).toBe(true);
  });

  it.each(manifests)('%s parses, and names a kind', (path) => {
    for (const manifest of documents(path)) {
      expect(manifest.apiVersion).toMatch(/\//.test(manifest.apiVersion) ? /^[a-z0-9.]+\/v1(alpha1|beta1)?$/ : /^v1$/);
      expect(manifest.kind).toMatch(/^[A-Z]/);
    }
  });

  it.each(kustomizations)('%s refers to what exists, and to nothing above itself as a base', (path) => {
    for (const reference of references(path)) {
      const isFile = reference.endsWith('.yaml');
      expect(there(isFile ? reference : `${reference}/kustomization.yaml`), reference).toBe(true);
      if (isFile) expect(dirname(reference), 'a file outside its folder').toBe(dirname(path));
      else expect(dirname(path).startsWith(`${reference}/`), `cycle through ${reference}`).toBe(false);
    }
    for (const patch of document(path).patches ?? []) expect(() => parse(patch.patch)).not.toThrow();
  });

  it('has no cycle between kustomizations', () => {
    const visit = (folder: string, way: readonly string[]): void => {
      expect(way, [...way, folder].join(' -> ')).not.toContain(folder);
      const next = references(`${folder}/kustomization.yaml`).filter((reference) => !reference.endsWith('.yaml'));
      for (const reference of next) visit(reference, [...way, folder]);
    };
    for (const path of kustomizations) visit(dirname(path), []);
  });

  it.each(overlays)('offers the variant %s as an overlay', (name) => {
    expect(there(`deploy/k8s/overlays/${name}/kustomization.yaml`)).toBe(true);
  });

  it('lists every component in the root kustomization, as a comment', () => {
    for (const name of overlays.filter((overlay) => overlay !== 'digest')) {
      expect(text('deploy/k8s/kustomization.yaml')).toMatch(new RegExp(`^# {3}- components/${name}\\b`, 'm'));
    }
  });

  it('keeps the copies that kustomize forces on us up to date', () => {
    const check = spawnSync(process.execPath, [at('deploy/k8s/sync.mjs'), '--check'], { encoding: 'utf8' });
    expect(check.stderr).toBe('');
    expect(check.status).toBe(0);
  });

  it('inlines into the digest overlay exactly the three manifests', () => {
    const overlay = document('deploy/k8s/overlays/digest/kustomization.yaml');
    expect(overlay.resources).toBeUndefined();
    const built = overlay.patches.map((patch: Loose) => {
      const operations: readonly Loose[] = parse(patch.patch);
      return Object.fromEntries(operations.map((operation) => [operation.path.slice(1), operation.value]));
    });
    expect(built).toEqual(['pvc', 'networkpolicy', 'deployment'].map((name) => document(`deploy/k8s/${name}.yaml`)));
  });
});
