import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { schemaProblems } from './support/json-schema.ts';
import { at, document, filesBelow, type Loose, text } from './support/tree.ts';

const chart = 'deploy/helm/mmrelay';
const schema: Loose = JSON.parse(text(`${chart}/values.schema.json`));
const values = document(`${chart}/values.yaml`);

/** values.yaml with one value set, as `--set` would. */
function withValue(path: string, value: unknown): Loose {
  const changed = structuredClone(values);
  const keys = path.split('.');
  const last = keys.pop() ?? '';
  keys.reduce((folder: Loose, key) => folder[key], changed)[last] = value;
  return changed;
}

describe('Helm chart', () => {
  it('has the version of the package', () => {
    const { version } = JSON.parse(text('package.json'));
    const { version: chartVersion, appVersion } = document(`${chart}/Chart.yaml`);
    expect({ chartVersion, appVersion }).toEqual({ chartVersion: version, appVersion: version });
  });

  it('has README, schema and alert rules derived from their sources', () => {
    const check = spawnSync(process.execPath, [at(chart, 'docs.mjs'), '--check'], { encoding: 'utf8' });
    expect(check.stderr).toBe('');
    expect(check.status).toBe(0);
  });

  it('has a schema that accepts its own values', () => {
    expect(schemaProblems(schema, values)).toEqual([]);
  });

  it.each<[string, unknown]>([
    ['replicaCount', 0],
    ['image.digest', `sha256:${'a'.repeat(64)}`],
    ['image.repository', 'registry.example.org:5000/mmrelay'],
    ['config.source', 'configmap'],
    ['persistence.accessModes', ['ReadWriteOncePod']],
    ['serial.device', '/dev/serial/by-id/usb-Espressif'],
    ['networkPolicy.radioCIDR', '192.0.2.1/32'],
    ['resources', { limits: { memory: '1Gi' } }],
    ['nodeSelector', { 'kubernetes.io/hostname': 'pi' }],
    ['podSecurityContext', { fsGroup: 2000 }],
  ])('accepts %s = %j', (path, value) => {
    expect(schemaProblems(schema, withValue(path, value))).toEqual([]);
  });

  it.each<[string, unknown]>([
    ['replicaCount', 2],
    ['replicaCount', '1'],
    ['image.digest', 'sha256:short'],
    ['image.repository', 'ghcr.io/jeremiah-k/mmrelay:latest'],
    ['image.pullPolicy', 'Sometimes'],
    ['config.source', 'vault'],
    ['config.existingName', 'Not A Name'],
    ['persistence.size', 'big'],
    ['persistence.accessModes', []],
    ['serial.device', 'ttyUSB0'],
    ['health.port', 0],
    ['health.readyRequires', 'none'],
    ['terminationGracePeriodSeconds', 5],
    ['preStopSleepSeconds', 120],
    ['probes.liveness', { periodSeconds: 0 }],
    ['probes.startup', { period: 5 }],
    ['persistance', {}],
    ['image.tags', 'x'],
  ])('refuses %s = %j', (path, value) => {
    expect(schemaProblems(schema, withValue(path, value))).not.toEqual([]);
  });

  it('uses every value in a template, and no value that is not there', () => {
    const templates = filesBelow(`${chart}/templates`).map(text).join('\n');
    const used = new Set([...templates.matchAll(/\.Values\.([A-Za-z.]+)/g)].map((match) => match[1]?.split('.')[0]));
    expect([...used].sort()).toEqual(Object.keys(values).sort());
    for (const [, path = ''] of templates.matchAll(/\.Values\.([A-Za-z.]+)/g)) {
      const found = path.split('.').reduce((folder: Loose, key) => folder?.[key], values);
      expect(found, path).toBeDefined();
    }
  });

  it('says what each value is', () => {
    const readme = text(`${chart}/README.md`);
    for (const key of [
      'image.digest',
      'credentials.existingSecret',
      'persistence.keepOnUninstall',
      'probes.liveness',
    ]) {
      expect(readme).toContain(`| \`${key}\` |`);
    }
  });
});
