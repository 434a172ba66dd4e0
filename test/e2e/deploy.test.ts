import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { policyProblems, restrictedProblems } from '../deploy/support/policy.ts';
import { at, filesBelow, type Loose } from '../deploy/support/tree.ts';
import { pages, shellLines } from '../docs/support/pages.ts';
import { hasTool, okTool, runTool } from './support/tools.ts';

// Our manifests through the real tools: kubectl's kustomize, helm, and kubeconform with the official Kubernetes schemas.
// .ci/install-deploy-tools.sh installs what is missing.
const required = process.env.MMRELAY_E2E_REQUIRED === '1';
const schemas = at('.cache/k8s-schemas');
const schemaVersions = ['v1.25', 'v1.37'];
const kustomize = hasTool('kubectl') ? ['kubectl', 'kustomize'] : ['kustomize', 'build'];

const missing = ['helm', 'kubeconform', 'actionlint'].filter((tool) => !hasTool(tool));
if (!hasTool('kubectl') && !hasTool('kustomize')) missing.push('kubectl');
if (!existsSync(schemas)) missing.push('Kubernetes schemas');
const name =
  missing.length === 0 ? 'deploy' : `deploy (without ${missing.join(', ')}: run .ci/install-deploy-tools.sh)`;

const build = (folder: string): string => okTool([...kustomize, folder]);
const objects = (yaml: string): readonly Loose[] =>
  parseAllDocuments(yaml)
    .map((document) => document.toJS())
    .filter((manifest) => manifest !== null);
const kind = (yaml: string, wanted: string): Loose => objects(yaml).find((manifest) => manifest.kind === wanted);

/** Official schemas, unknown fields refused, oldest and newest Kubernetes that the schemas cover. */
function conform(yaml: string): void {
  for (const version of schemaVersions) {
    const location = join(schemas, version, '{{.ResourceKind}}{{.KindSuffix}}.json');
    const skip = 'VolumeSnapshot,ServiceMonitor,PrometheusRule,Kustomization,Component';
    okTool(['kubeconform', '-strict', '-skip', skip, '-schema-location', location], yaml);
  }
}

it('has its tools', () => {
  if (required) expect(missing).toEqual([]);
});

describe.skipIf(missing.length > 0)(name, () => {
  const scratch = mkdtempSync(join(tmpdir(), 'mmrelay-deploy-'));
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));
  const k8s = at('deploy/k8s');
  const overlays = ['digest', 'serial', 'ble', 'restricted', 'configmap', 'credentials', 'metrics'];

  it.each([
    '.',
    'base',
    ...overlays.map((overlay) => `overlays/${overlay}`),
  ])('kustomize builds %s, valid and harmless', (folder) => {
    const built = build(join(k8s, folder));
    conform(built);
    const deployment = kind(built, 'Deployment');
    expect(deployment.metadata).toMatchObject({ name: 'mmrelay', namespace: 'mmrelay' });
    expect(policyProblems(deployment)).toEqual([]);
    for (const manifest of objects(built)) expect(manifest.metadata.namespace).toBe('mmrelay');
  });

  it('kubeconform does find a wrong field and a wrong type', () => {
    const built = build(k8s);
    const location = join(schemas, 'v1.37', '{{.ResourceKind}}{{.KindSuffix}}.json');
    const check = ['kubeconform', '-strict', '-schema-location', location];
    expect(runTool(check, built.replace('replicas: 1', 'replicaz: 1')).stdout).toMatch(
      /additional properties 'replicaz'/,
    );
    expect(runTool(check, built.replace('replicas: 1', 'replicas: one')).stdout).toMatch(/got string, want/);
  });

  it('builds both targets from the five files of the guide alone', () => {
    const five = join(scratch, 'five/deploy/k8s');
    for (const file of ['pvc', 'networkpolicy', 'deployment', 'kustomization', 'overlays/digest/kustomization']) {
      mkdirSync(dirname(join(five, file)), { recursive: true });
      cpSync(join(k8s, `${file}.yaml`), join(five, `${file}.yaml`));
    }
    const plain = build(five);
    const pinned = build(join(five, 'overlays/digest'));
    const images = (yaml: string) => [...yaml.matchAll(/image: (ghcr.*)$/gm)].map((match) => match[1]);
    expect(images(plain)).toEqual(['ghcr.io/jeremiah-k/mmrelay:latest']);
    expect(images(pinned)).toEqual(['ghcr.io/jeremiah-k/mmrelay@sha256:REPLACE_ME']);
    expect(pinned.replace(/@sha256:REPLACE_ME/, ':latest')).toBe(plain);
  });

  it('builds all variants together', () => {
    const together = join(scratch, 'together');
    cpSync(k8s, together, { recursive: true });
    const script = 's/^# \\(components:\\)/\\1/; s/^#   - components/  - components/';
    okTool(['sed', '-i', script, join(together, 'kustomization.yaml')]);
    const built = build(together);
    conform(built);
    const { volumes, initContainers } = kind(built, 'Deployment').spec.template.spec;
    const names = volumes.map((volume: Loose) => volume.name).sort();
    expect(names).toEqual(['config', 'credentials', 'data', 'dbus', 'run', 'serial-device', 'tmp']);
    expect(initContainers ?? []).toEqual([]);
  });

  it('keeps the restricted variant within Pod Security restricted', () => {
    expect(restrictedProblems(kind(build(join(k8s, 'overlays/restricted')), 'Deployment'))).toEqual([]);
  });

  it.each(filesBelow('deploy/k8s/backup').concat('deploy/k8s/namespace-restricted.yaml'))('%s is valid', (file) => {
    conform(okTool(['cat', at(file)]));
  });

  it('actionlint has nothing to say about the workflows', () => {
    okTool(['actionlint', ...filesBelow('.github/workflows').map((path) => at(path))]);
  });

  it.each(['kubectl', 'helm'].filter(hasTool))('%s has the options that the pages use', (tool) => {
    const lines = pages.flatMap(shellLines).filter((line) => line.startsWith(`${tool} `));
    const everywhere = tool === 'kubectl' ? okTool(['kubectl', 'options']) : '';
    for (const line of lines) {
      const ours = line.replace(/="\$\(.*?\)"/g, '').replace(/ -- .*| \| .*|'[^']*'|"[^"]*"/g, '');
      const help = everywhere + okTool([...(ours.split(' -')[0] ?? '').split(' '), '--help']);
      for (const [, option = ''] of ours.matchAll(/ (--?[a-z][a-z-]*)/g))
        expect(help, line).toMatch(new RegExp(`(^|[ ,])${option}[ ,=\\[]`, 'm'));
    }
    expect(lines.length).toBeGreaterThan(5);
  });

  describe('Helm', () => {
    const chart = at('deploy/helm/mmrelay');
    const template = (...set: readonly string[]): string =>
      okTool(['helm', 'template', 'mmrelay', chart, '-n', 'mmrelay', ...set.flatMap((pair) => ['--set', pair])]);

    it('lints', () => {
      expect(okTool(['helm', 'lint', '--strict', chart])).toContain('0 chart(s) failed');
    });

    it.each([
      [[]],
      [['config.data=meshtastic: {}']],
      [['config.data=meshtastic: {}', 'config.source=configmap']],
      [['credentials.existingSecret=mmrelay-credentials', 'matrixAuth.existingSecret=']],
      [['persistence.enabled=false', 'fixDataPerms.enabled=false']],
      [['serial.enabled=true']],
      [['serial.enabled=true', 'serial.devicePluginResource=squat.ai/serial']],
      [['ble.enabled=true', 'serviceAccount.create=true']],
      [['health.enabled=true', 'serviceMonitor.enabled=true', 'prometheusRule.enabled=true']],
      [['networkPolicy.strict=true', 'networkPolicy.radioCIDR=192.0.2.10/32']],
    ])('renders %j, valid and harmless', (set) => {
      const built = template(...set);
      conform(built);
      const problems = policyProblems(kind(built, 'Deployment'));
      expect(problems).toEqual(set.includes('persistence.enabled=false') ? ['emptyDir data without a size limit'] : []);
    });

    it('pins a digest to a valid reference, also with an empty tag', () => {
      const digest = `sha256:${'a'.repeat(64)}`;
      for (const tag of ['', '1.0.0']) {
        const built = template(`image.digest=${digest}`, `image.tag=${tag}`);
        expect(kind(built, 'Deployment').spec.template.spec.containers[0].image).toBe(
          `ghcr.io/jeremiah-k/mmrelay@${digest}`,
        );
      }
    });

    it('carries both label sets, keeps the volume, restarts on a changed configuration', () => {
      const [one, two] = ['a', 'b'].map((data) => template(`config.data=${data}`));
      const pod = kind(one ?? '', 'Deployment').spec.template;
      expect(pod.metadata.labels).toMatchObject({ app: 'mmrelay', 'app.kubernetes.io/name': 'mmrelay' });
      expect(kind(one ?? '', 'PersistentVolumeClaim').metadata).toMatchObject({
        name: 'mmrelay-data',
        annotations: { 'helm.sh/resource-policy': 'keep' },
      });
      const sum = (yaml: string) => kind(yaml, 'Deployment').spec.template.metadata.annotations['checksum/config'];
      expect(sum(one ?? '')).not.toBe(sum(two ?? ''));
    });

    it('takes up a volume that exists, and makes none beside it', () => {
      const built = template('persistence.existingClaim=mine');
      expect(kind(built, 'PersistentVolumeClaim')).toBeUndefined();
      const { volumes } = kind(built, 'Deployment').spec.template.spec;
      expect(volumes).toContainEqual({ name: 'data', persistentVolumeClaim: { claimName: 'mine' } });
    });

    it('adds what the user adds', () => {
      const built = template(
        'extraEnv[0].name=A,extraEnv[0].value=b',
        'extraEnvFrom[0].secretRef.name=vault',
        'extraVolumes[0].name=ca,extraVolumes[0].configMap.name=ca',
        'extraVolumeMounts[0].name=ca,extraVolumeMounts[0].mountPath=/ca',
      );
      conform(built);
      const pod = kind(built, 'Deployment').spec.template.spec;
      expect(pod.volumes).toContainEqual({ name: 'ca', configMap: { name: 'ca' } });
      expect(pod.containers[0]).toMatchObject({
        env: expect.arrayContaining([{ name: 'A', value: 'b' }]),
        envFrom: expect.arrayContaining([{ secretRef: { name: 'vault' } }]),
        volumeMounts: expect.arrayContaining([{ name: 'ca', mountPath: '/ca' }]),
      });
    });

    it('tests itself within Pod Security restricted', () => {
      const test = kind(template(), 'Pod');
      expect(test.metadata.annotations['helm.sh/hook']).toBe('test');
      expect(restrictedProblems(test)).toEqual([]);
    });

    it('is the same relay as the static manifests', () => {
      const chartPod = kind(template(), 'Deployment').spec.template.spec;
      const staticPod = kind(build(k8s), 'Deployment').spec.template.spec;
      for (const key of [
        'startupProbe',
        'readinessProbe',
        'livenessProbe',
        'env',
        'args',
        'securityContext',
        'lifecycle',
      ]) {
        expect(chartPod.containers[0][key], key).toEqual(staticPod.containers[0][key]);
      }
      expect(chartPod.initContainers).toEqual(staticPod.initContainers);
      const byName = (list: readonly Loose[]) => [...list].sort((a, b) => a.name.localeCompare(b.name));
      expect(byName(chartPod.volumes)).toEqual(byName(staticPod.volumes));
    });

    it.each([
      ['replicaCount=2'],
      ['image.digest=latest'],
      ['persistance.size=1Gi'],
      ['serviceMonitor.enabled=true'],
    ])('refuses %s', (set) => {
      expect(runTool(['helm', 'template', 'mmrelay', chart, '--set', set]).status).not.toBe(0);
    });
  });
});
