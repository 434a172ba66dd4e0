import type { Loose } from './tree.ts';
import { podSpec } from './tree.ts';

/** Host folders a variant may see: the radio and D-Bus, nothing else. */
const allowedHostPath = /^\/dev\/(tty\w+|serial\/by-id\/\S+)$|^\/run\/dbus\/system_bus_socket$/;

function containerProblems(container: Loose, isInit: boolean): string[] {
  const problems: string[] = [];
  const say = (problem: string) => problems.push(`${container.name}: ${problem}`);
  const security = container.securityContext ?? {};
  if (security.privileged === true) say('privileged');
  if (security.allowPrivilegeEscalation !== false) say('may gain privileges');
  if (security.readOnlyRootFilesystem !== true) say('root file system is writable');
  if (!security.capabilities?.drop?.includes('ALL')) say('keeps capabilities');
  const added: readonly string[] = security.capabilities?.add ?? [];
  const mayAdd = isInit ? ['CHOWN', 'DAC_OVERRIDE', 'FOWNER'] : [];
  for (const name of added) if (!mayAdd.includes(name)) say(`adds ${name}`);
  if (!isInit && security.runAsUser === 0) say('runs as root');
  for (const kind of ['requests', 'limits']) {
    for (const resource of ['cpu', 'memory']) {
      if (container.resources?.[kind]?.[resource] === undefined) say(`no ${kind}.${resource}`);
    }
  }
  if (/:latest$/.test(container.image) && container.imagePullPolicy === 'Always') say('follows latest by itself');
  return problems;
}

/** What a cautious cluster owner would object to in a workload; empty when nothing. */
export function policyProblems(manifest: Loose): readonly string[] {
  const pod = podSpec(manifest);
  const problems: string[] = [];
  for (const key of ['hostNetwork', 'hostPID', 'hostIPC', 'shareProcessNamespace']) {
    if (pod[key] === true) problems.push(key);
  }
  if (pod.automountServiceAccountToken !== false) problems.push('service account token is mounted');
  if (pod.securityContext?.seccompProfile?.type !== 'RuntimeDefault') problems.push('no seccomp profile');
  for (const volume of pod.volumes ?? []) {
    if (volume.hostPath && !allowedHostPath.test(volume.hostPath.path))
      problems.push(`host path ${volume.hostPath.path}`);
    const limited = volume.emptyDir?.sizeLimit !== undefined || manifest.kind === 'Pod';
    if (volume.emptyDir && !limited) problems.push(`emptyDir ${volume.name} without a size limit`);
  }
  const inits: readonly Loose[] = pod.initContainers ?? [];
  problems.push(...inits.flatMap((container) => containerProblems(container, true)));
  for (const container of pod.containers) {
    problems.push(...containerProblems(container, false));
    const nonRoot = container.securityContext?.runAsNonRoot ?? pod.securityContext?.runAsNonRoot;
    if (nonRoot !== true) problems.push(`${container.name}: runAsNonRoot is not set`);
  }
  if (manifest.kind === 'Deployment') problems.push(...deploymentProblems(manifest, pod));
  return problems;
}

function deploymentProblems(manifest: Loose, pod: Loose): string[] {
  const problems: string[] = [];
  if (manifest.spec.strategy?.type !== 'Recreate') problems.push('two relays during a rollout');
  if (manifest.spec.replicas > 1) problems.push('more than one relay');
  for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe']) {
    if (pod.containers[0][probe] === undefined) problems.push(`no ${probe}`);
  }
  return problems;
}

/** What Pod Security `restricted` refuses; empty when nothing. */
export function restrictedProblems(manifest: Loose): readonly string[] {
  const pod = podSpec(manifest);
  const problems: string[] = [];
  for (const container of [...(pod.initContainers ?? []), ...pod.containers]) {
    const security = { ...pod.securityContext, ...container.securityContext };
    if (security.runAsNonRoot !== true || security.runAsUser === 0) problems.push(`${container.name}: may be root`);
    if (security.allowPrivilegeEscalation !== false) problems.push(`${container.name}: may gain privileges`);
    if (!security.capabilities?.drop?.includes('ALL')) problems.push(`${container.name}: keeps capabilities`);
    const added: readonly string[] = security.capabilities?.add ?? [];
    if (added.some((name) => name !== 'NET_BIND_SERVICE')) problems.push(`${container.name}: adds capabilities`);
    if (security.seccompProfile === undefined) problems.push(`${container.name}: no seccomp profile`);
  }
  const volumes: readonly Loose[] = pod.volumes ?? [];
  const allowed = [
    'configMap',
    'csi',
    'downwardAPI',
    'emptyDir',
    'ephemeral',
    'persistentVolumeClaim',
    'projected',
    'secret',
  ];
  for (const volume of volumes) {
    const type = Object.keys(volume).find((key) => key !== 'name') ?? '';
    if (!allowed.includes(type)) problems.push(`volume type ${type}`);
  }
  return problems;
}
