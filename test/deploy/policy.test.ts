import { describe, expect, it } from 'vitest';
import { policyProblems, restrictedProblems } from './support/policy.ts';
import { document, type Loose } from './support/tree.ts';

const jobs = ['backup-job', 'backup-cronjob', 'restore-job'].map((name) => `deploy/k8s/backup/${name}.yaml`);
const workloads = ['deploy/k8s/deployment.yaml', ...jobs];

function changed(change: (deployment: Loose, container: Loose) => void): Loose {
  const deployment = structuredClone(document('deploy/k8s/deployment.yaml'));
  change(deployment, deployment.spec.template.spec.containers[0]);
  return deployment;
}

describe('workload policy', () => {
  it.each(workloads)('%s has nothing to object to', (path) => {
    expect(policyProblems(document(path))).toEqual([]);
  });

  it.each(jobs)('%s runs under Pod Security restricted', (path) => {
    expect(restrictedProblems(document(path))).toEqual([]);
  });

  it('sees that the default Deployment needs components/restricted for that', () => {
    expect(restrictedProblems(document('deploy/k8s/deployment.yaml'))).toContain('fix-data-perms: may be root');
  });

  // The checks themselves: each fault is found.
  it.each<[string, (deployment: Loose, container: Loose) => void]>([
    ['privileged', (_, c) => Object.assign(c.securityContext, { privileged: true })],
    ['writable', (_, c) => Object.assign(c.securityContext, { readOnlyRootFilesystem: false })],
    ['gain privileges', (_, c) => Object.assign(c.securityContext, { allowPrivilegeEscalation: true })],
    ['adds SYS_ADMIN', (_, c) => Object.assign(c.securityContext.capabilities, { add: ['SYS_ADMIN'] })],
    ['no limits.memory', (_, c) => delete c.resources.limits.memory],
    ['no livenessProbe', (_, c) => delete c.livenessProbe],
    ['two relays', (d) => Object.assign(d.spec, { strategy: { type: 'RollingUpdate' } })],
    ['hostNetwork', (d) => Object.assign(d.spec.template.spec, { hostNetwork: true })],
    ['host path /etc', (d) => d.spec.template.spec.volumes.push({ name: 'x', hostPath: { path: '/etc' } })],
    ['size limit', (d) => d.spec.template.spec.volumes.push({ name: 'x', emptyDir: {} })],
    ['seccomp', (d) => delete d.spec.template.spec.securityContext.seccompProfile],
    ['runAsNonRoot', (_, c) => delete c.securityContext.runAsNonRoot],
  ])('finds: %s', (expected, change) => {
    expect(policyProblems(changed(change)).join('; ')).toContain(expected);
  });
});
