import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { document, filesBelow, type Loose, text, there } from './support/tree.ts';

// The 33 steps of the Kubernetes guide that users of the Python relay follow (spec 03, section 4.7). Each either works with
// our manifests as written, or docs/KUBERNETES.md has the command that does.
const image = 'ghcr.io/jeremiah-k/mmrelay';
const docs = text('docs/KUBERNETES.md');
const raw = text('deploy/k8s/deployment.yaml');
const root = document('deploy/k8s/kustomization.yaml');
const digest = document('deploy/k8s/overlays/digest/kustomization.yaml');
const deployment = document('deploy/k8s/deployment.yaml');
const pod = deployment.spec.template.spec;
const container = pod.containers[0];
const claim = document('deploy/k8s/pvc.yaml');
const dockerfile = text('Dockerfile');

const byName = (list: readonly Loose[], name: string): Loose => list.find((entry) => entry.name === name);
const mount = (path: string): Loose => container.volumeMounts.find((entry: Loose) => entry.mountPath === path);
const env = (name: string): string | undefined => byName(container.env, name)?.value;
const component = (name: string): Loose => document(`deploy/k8s/components/${name}/kustomization.yaml`);

/** Pod and container after the edit "uncomment these blocks" of the guide. */
function uncommented(name: string): { readonly volume: Loose; readonly mount: Loose } {
  const blocks = new RegExp(`^ *# - name: ${name}\\n(?: *# {3}.*\\n)+`, 'gm');
  const edited = raw.replace(blocks, (block) => block.replace(/^( *)# /gm, '$1'));
  const { volumes, containers } = parse(edited).spec.template.spec;
  return { volume: byName(volumes, name), mount: byName(containers[0].volumeMounts, name) };
}

const steps: readonly (readonly [number, string, () => void])[] = [
  [1, 'edit images[].newTag', () => expect(root.images).toEqual([{ name: image, newTag: 'latest' }])],
  [2, 'kustomize edit set image', () => expect(container.image).toBe(root.images[0].name)],
  [3, 'skopeo inspect of the same name', () => expect(docs).toContain(`docker://${image}:`)],
  [
    4,
    'digest overlay',
    () => expect(digest.images[0]).toMatchObject({ name: image, digest: expect.stringMatching(/^sha256:/) }),
  ],
  [
    5,
    'five files, and nothing else, are enough',
    () => {
      expect(root.resources).toEqual(['pvc.yaml', 'networkpolicy.yaml', 'deployment.yaml']);
      expect(root.components).toBeUndefined();
      expect([digest.resources, digest.components]).toEqual([undefined, undefined]);
    },
  ],
  [
    6,
    'the namespace is made by the user',
    () => {
      expect(root.namespace).toBe('mmrelay');
      for (const file of root.resources) expect(document(`deploy/k8s/${file}`).kind).not.toBe('Namespace');
    },
  ],
  [
    7,
    'a sample configuration to download, from where the guide says',
    () => {
      expect(text('src/mmrelay/tools/sample_config.yaml')).toBe(text('sample_config.yaml'));
      expect(docs).toMatch(/REPO_URL\}\/sample_config\.yaml"/);
    },
  ],
  [
    8,
    'Secret mmrelay-matrix-auth, values quoted',
    () => {
      expect(container.envFrom).toEqual([{ secretRef: { name: 'mmrelay-matrix-auth', optional: true } }]);
      for (const key of ['HOMESERVER', 'BOT_USER_ID', 'PASSWORD'])
        expect(docs).toMatch(new RegExp(`MMRELAY_MATRIX_${key}="\\$\\(read`));
    },
  ],
  [
    9,
    'Secret mmrelay-config, key config.yaml',
    () => expect(byName(pod.volumes, 'config').secret.items[0].key).toBe('config.yaml'),
  ],
  [10, 'kubectl apply -k ./deploy/k8s', () => expect(there('deploy/k8s/kustomization.yaml')).toBe(true)],
  [
    11,
    'label app=mmrelay, deployment/mmrelay',
    () => {
      expect(deployment.metadata.name).toBe('mmrelay');
      expect(deployment.spec.template.metadata.labels.app).toBe('mmrelay');
      expect(deployment.spec.selector.matchLabels).toEqual({ app: 'mmrelay' });
    },
  ],
  [
    12,
    'ConfigMap blocks to uncomment, in volumes and in volumeMounts',
    () => {
      const added = uncommented('config-map');
      expect(added.volume.configMap).toMatchObject({ name: 'mmrelay-config', items: [{ key: 'config.yaml' }] });
      expect(added.mount).toMatchObject({ mountPath: '/app/config.yaml', subPath: 'config.yaml' });
      expect(component('configmap').kind).toBe('Component');
    },
  ],
  [
    13,
    'mmrelay auth login leaves ~/.mmrelay/credentials.json',
    () => expect(docs).toContain('cp ~/.mmrelay/credentials.json ./credentials.json'),
  ],
  [
    14,
    'credentials blocks to uncomment, in volumes and in volumeMounts',
    () => {
      const added = uncommented('credentials');
      expect(added.volume.secret).toMatchObject({
        secretName: 'mmrelay-credentials',
        items: [{ key: 'credentials.json' }],
      });
      expect(added.mount).toMatchObject({ mountPath: '/data/credentials.json', readOnly: true });
    },
  ],
  [15, 'start without mmrelay-matrix-auth', () => expect(container.envFrom[0].secretRef.optional).toBe(true)],
  [
    16,
    'rotated credentials are read at the next start, not copied',
    () => expect(JSON.stringify(pod.initContainers)).not.toContain('credentials'),
  ],
  [
    17,
    'a snapshot (the guide names a command that kubectl has not)',
    () => {
      const snapshot = document('deploy/k8s/backup/volumesnapshot.yaml');
      expect(snapshot.spec.source.persistentVolumeClaimName).toBe(claim.metadata.name);
      expect(docs).toContain('kubectl create -f deploy/k8s/backup/volumesnapshot.yaml');
    },
  ],
  [
    18,
    'tar and gzip in the image, /data readable for uid 1000',
    () => {
      expect(dockerfile).toMatch(/RUNTIME_IMAGE=debian:/);
      expect(pod.securityContext.fsGroup).toBe(1000);
    },
  ],
  [
    19,
    'backup pod on claim mmrelay-data',
    () => expect(claim.metadata).toMatchObject({ name: 'mmrelay-data', namespace: 'mmrelay' }),
  ],
  [
    20,
    'a claim from a snapshot, of the same size',
    () => {
      const restored = document('deploy/k8s/backup/pvc-from-snapshot.yaml');
      expect(restored.metadata.name).toBe('mmrelay-data-restored');
      expect(restored.spec.resources).toEqual(claim.spec.resources);
      expect(restored.spec.accessModes).toEqual(claim.spec.accessModes);
    },
  ],
  [
    21,
    'use the restored claim (the guide names a command that kubectl has not)',
    () => {
      const patch = JSON.parse(/--type=strategic --patch \\\n {2}'(.*)'/.exec(docs)?.[1] ?? 'null');
      const volume = patch.spec.template.spec.volumes[0];
      expect(byName(pod.volumes, volume.name).persistentVolumeClaim.claimName).toBe('mmrelay-data');
      expect(volume.persistentVolumeClaim.claimName).toBe('mmrelay-data-restored');
    },
  ],
  [
    22,
    'scale to 0 and back',
    () => expect([deployment.spec.replicas, deployment.spec.strategy.type]).toEqual([1, 'Recreate']),
  ],
  [
    23,
    'a restored folder lands in /data itself',
    () => expect(docs).toContain('kubectl cp ./mmrelay-backup/. -n mmrelay restore-pod:/data/'),
  ],
  [
    24,
    'mmrelay migrate --dry-run --home /data',
    () => expect(docs).toContain('mmrelay migrate --dry-run --home /data'),
  ],
  [25, 'df -h /data', () => expect(mount('/data').name).toBe('data')],
  [
    26,
    'rollout restart with a ReadWriteOnce volume',
    () => expect(deployment.spec.strategy).toEqual({ type: 'Recreate' }),
  ],
  [
    27,
    'pvc.yaml applies alone',
    () => expect([claim.kind, claim.metadata.namespace]).toEqual(['PersistentVolumeClaim', 'mmrelay']),
  ],
  [
    28,
    'ls -l /run/mmrelay',
    () => {
      expect(env('MMRELAY_READY_FILE')).toBe('/run/mmrelay/ready');
      expect(byName(pod.volumes, mount('/run/mmrelay').name).emptyDir).toBeDefined();
    },
  ],
  [29, 'mmrelay on the PATH', () => expect(dockerfile).toMatch(/> \/usr\/local\/bin\/mmrelay/)],
  [
    30,
    'cat /app/config.yaml',
    () => {
      expect(mount('/app/config.yaml')).toMatchObject({ subPath: 'config.yaml', readOnly: true });
      expect(byName(pod.volumes, 'config').secret.defaultMode).toBe(0o440);
    },
  ],
  [31, 'the daemon reads that very file', () => expect(container.args).toEqual(['--config', '/app/config.yaml'])],
  [
    32,
    'serial: mount, CharDevice, node, group',
    () => {
      const patch = component('serial').patches[0].patch as string;
      for (const part of [
        'mountPath: /dev/ttyUSB0',
        'type: CharDevice',
        'kubernetes.io/hostname: node-with-device',
        'supplementalGroups: [20]',
      ]) {
        expect(patch).toContain(part);
      }
      expect(docs).toMatch(/`runAsUser: 0`: remove `runAsNonRoot: true`/);
    },
  ],
  [
    33,
    'kubectl get pvc mmrelay-data',
    () => expect(byName(pod.volumes, 'data').persistentVolumeClaim.claimName).toBe(claim.metadata.name),
  ],
];

describe('the Kubernetes guide, step by step', () => {
  it('has 33 of them', () =>
    expect(steps.map(([number]) => number)).toEqual(Array.from({ length: 33 }, (_, index) => index + 1)));
  it.each(steps)('%i: %s', (_, __, check) => check());
});

describe('what the guide states without a command', () => {
  it('probes', () => {
    const numbers = (probe: Loose) => [probe.periodSeconds, probe.timeoutSeconds, probe.failureThreshold];
    expect(numbers(container.startupProbe)).toEqual([5, 2, 60]);
    expect(numbers(container.readinessProbe)).toEqual([10, 2, 3]);
    expect(numbers(container.livenessProbe)).toEqual([60, 20, 3]);
    expect(container.livenessProbe.exec.command.slice(0, 2)).toEqual(['mmrelay', 'doctor']);
  });

  it('shutdown, init container, environment, image', () => {
    expect(pod.terminationGracePeriodSeconds).toBe(30);
    expect(container.lifecycle.preStop.exec.command).toEqual(['sh', '-c', 'sleep 5 || true']);
    expect(pod.initContainers[0]).toMatchObject({
      name: 'fix-data-perms',
      image: 'busybox:1.36',
      command: ['chown', '-R', '1000:1000', '/data'],
    });
    expect(env('MMRELAY_HOME')).toBe('/data');
    expect(container.securityContext).toMatchObject({ runAsUser: 1000, runAsGroup: 1000 });
  });

  it('network policy: everything out, nothing in, IPv4 and IPv6', () => {
    const { spec } = document('deploy/k8s/networkpolicy.yaml');
    expect(spec.ingress).toEqual([]);
    expect(spec.egress[0].to.map((entry: Loose) => entry.ipBlock.cidr)).toEqual(['0.0.0.0/0', '::/0']);
    expect(spec.podSelector.matchLabels).toEqual({ app: 'mmrelay' });
  });

  it('no path or variable of the 1.2 layout in anything deployed', () => {
    const old = /MMRELAY_CREDENTIALS_PATH|MMRELAY_BASE_DIR|MMRELAY_DATA_DIR|\/app\/data|--base-dir|--logfile/;
    for (const path of filesBelow('deploy')) expect(text(path), path).not.toMatch(old);
    expect(dockerfile).not.toMatch(old);
  });
});
