// Derives from values.yaml: README.md's table, values.schema.json; from package.json: the versions in Chart.yaml; and
// copies the alert rules.
//   node deploy/helm/mmrelay/docs.mjs           write
//   node deploy/helm/mmrelay/docs.mjs --check   exit 1 when one is out of date
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMap, isScalar, parseDocument } from 'yaml';

const here = dirname(fileURLToPath(import.meta.url));
const path = (name) => join(here, name);
const read = (name) => readFileSync(path(name), 'utf8');

/** What a value may be beyond the type of its default. */
const port = { type: 'integer', minimum: 1, maximum: 65535 };
const named = { type: 'string', pattern: '^([a-z0-9]([a-z0-9.-]*[a-z0-9])?)?$', maxLength: 253 };
const rules = {
  replicaCount: { type: 'integer', minimum: 0, maximum: 1 },
  'image.repository': { type: 'string', minLength: 1, pattern: '^[^:@\\s]+(:[0-9]+/[^:@\\s]+)?$' },
  'image.tag': { type: 'string', pattern: '^[A-Za-z0-9_.-]*$' },
  'image.digest': { type: 'string', pattern: '^(sha256:[0-9a-f]{64})?$' },
  'image.pullPolicy': { enum: ['Always', 'IfNotPresent', 'Never'] },
  'config.source': { enum: ['secret', 'configmap'] },
  'config.existingName': named,
  'config.key': { type: 'string', minLength: 1 },
  'matrixAuth.existingSecret': named,
  'credentials.existingSecret': named,
  'persistence.existingClaim': named,
  'persistence.size': { type: 'string', pattern: '^[0-9]+(\\.[0-9]+)?(Ki|Mi|Gi|Ti|k|M|G|T)?$' },
  'persistence.accessModes': {
    type: 'array',
    minItems: 1,
    items: { enum: ['ReadWriteOnce', 'ReadWriteOncePod', 'ReadWriteMany'] },
  },
  'serial.device': { type: 'string', pattern: '^/dev/' },
  'serial.group': { type: 'integer', minimum: 0 },
  'health.port': port,
  'health.readyRequires': { enum: ['auto', 'any', 'matrix', 'radio', 'both'] },
  'service.type': { enum: ['ClusterIP', 'NodePort', 'LoadBalancer'] },
  'networkPolicy.radioPort': port,
  'networkPolicy.radioCIDR': { type: 'string', pattern: '^([0-9a-fA-F.:]+/[0-9]{1,3})?$' },
  'networkPolicy.ingress': { type: 'array', items: { type: 'object' } },
  preStopSleepSeconds: { type: 'integer', minimum: 0, maximum: 20 },
  terminationGracePeriodSeconds: { type: 'integer', minimum: 15 },
};
const probe = {
  type: 'object',
  additionalProperties: false,
  properties: Object.fromEntries(
    ['initialDelaySeconds', 'periodSeconds', 'timeoutSeconds', 'failureThreshold', 'successThreshold'].map((key) => [
      key,
      { type: 'integer', minimum: key === 'initialDelaySeconds' ? 0 : 1 },
    ]),
  ),
};
for (const name of ['startup', 'readiness', 'liveness']) rules[`probes.${name}`] = probe;
/** Passed to Kubernetes as they are. */
const free =
  /(^|\.)(resources|podSecurityContext|containerSecurityContext|annotations|labels|podAnnotations|podLabels|commonLabels|nodeSelector|affinity)$/;

function schemaOf(node, at) {
  if (rules[at]) return rules[at];
  const value = node?.toJSON?.() ?? null;
  if (Array.isArray(value)) return { type: 'array' };
  if (isMap(node)) {
    if (free.test(at)) return { type: 'object' };
    const properties = {};
    for (const pair of node.items)
      properties[pair.key.value] = schemaOf(pair.value, at ? `${at}.${pair.key.value}` : pair.key.value);
    return { type: 'object', additionalProperties: false, properties };
  }
  if (isScalar(node) && typeof node.value === 'number') return { type: 'integer' };
  return { type: typeof value === 'boolean' ? 'boolean' : 'string' };
}

const compact = (value) => JSON.stringify(value).replaceAll('|', '\\|');

/** One row for every `# --` comment: `[key, default, text]`. */
function rowsOf(map, at, rows) {
  for (const pair of map.items) {
    const key = at ? `${at}.${pair.key.value}` : pair.key.value;
    const first = pair === map.items[0] ? `${map.commentBefore ?? ''}\n` : '';
    const comment = `${first}${pair.key.commentBefore ?? ''}`;
    const text = /^ -- ([\s\S]*)$/m
      .exec(comment)?.[1]
      ?.replace(/\s*\n\s*/g, ' ')
      .trim();
    const nested = isMap(pair.value) && pair.value.items.length > 0 && !free.test(key) && !rules[key];
    if (!nested && text === undefined) throw new Error(`values.yaml: ${key} has no "# --" comment`);
    if (!nested) rows.push([key, compact(pair.value.toJSON()), text]);
    else rowsOf(pair.value, key, rows);
  }
  return rows;
}

const values = parseDocument(read('values.yaml')).contents;
const schema = { $schema: 'http://json-schema.org/draft-07/schema#', title: 'mmrelay', ...schemaOf(values, '') };
schema.properties.global = { type: 'object' };
const table = rowsOf(values, '', []).map(([key, value, text]) => `| \`${key}\` | \`${value}\` | ${text} |`);
const [head, tail] = ['<!-- values -->\n', '<!-- /values -->'];
const readme = read('README.md');
const start = readme.indexOf(head) + head.length;
const { version } = JSON.parse(read('../../../package.json'));
const wanted = {
  'Chart.yaml': read('Chart.yaml').replace(/^(version|appVersion): .*$/gm, `$1: ${version}`),
  'values.schema.json': `${JSON.stringify(schema, null, 2)}\n`,
  'README.md': `${readme.slice(0, start)}| value | default | meaning |\n|---|---|---|\n${table.join('\n')}\n${readme.slice(readme.indexOf(tail))}`,
  'files/alerts.yaml': read('../../observability/alerts.yaml'),
};
for (const [name, text] of Object.entries(wanted)) {
  let current = '';
  try {
    current = read(name);
  } catch {
    // Not there yet: written below.
  }
  if (text === current) continue;
  if (!process.argv.includes('--check')) writeFileSync(path(name), text);
  else {
    process.stderr.write(`out of date: ${name} (run node deploy/helm/mmrelay/docs.mjs)\n`);
    process.exitCode = 1;
  }
}
