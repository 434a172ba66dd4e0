import type { Loose } from './tree.ts';

const typeOf = (value: unknown): string => {
  if (Array.isArray(value)) return 'array';
  if (value === null) return 'null';
  if (Number.isInteger(value)) return 'integer';
  return typeof value;
};

/** Where and why a value breaks a JSON schema; knows only the keywords that our chart uses, and throws on others. */
export function schemaProblems(schema: Loose, value: unknown, path = ''): readonly string[] {
  const known = ['$schema', 'title', 'type', 'enum', 'pattern', 'minLength', 'maxLength', 'minimum', 'maximum'];
  known.push('minItems', 'items', 'properties', 'additionalProperties');
  for (const keyword of Object.keys(schema))
    if (!known.includes(keyword)) throw new Error(`unknown keyword ${keyword}`);
  const problems: string[] = [];
  const say = (what: string) => problems.push(`${path || '/'}: ${what}`);
  if (schema.type !== undefined && typeOf(value) !== schema.type) {
    say(`is ${typeOf(value)}, not ${schema.type}`);
    return problems;
  }
  if (schema.enum !== undefined && !schema.enum.includes(value)) say(`not one of ${schema.enum.join(', ')}`);
  if (typeof value === 'string') problems.push(...stringProblems(schema, value, path));
  if (typeof value === 'number') {
    if (value < (schema.minimum ?? value)) say(`below ${schema.minimum}`);
    if (value > (schema.maximum ?? value)) say(`above ${schema.maximum}`);
  }
  if (Array.isArray(value)) {
    if (value.length < (schema.minItems ?? 0)) say('too few');
    if (schema.items)
      problems.push(...value.flatMap((item, index) => schemaProblems(schema.items, item, `${path}/${index}`)));
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, child] of Object.entries(value)) {
      const inner = schema.properties?.[key];
      if (inner !== undefined) problems.push(...schemaProblems(inner, child, `${path}/${key}`));
      else if (schema.additionalProperties === false) say(`does not know ${key}`);
    }
  }
  return problems;
}

function stringProblems(schema: Loose, value: string, path: string): string[] {
  const problems: string[] = [];
  if (schema.pattern !== undefined && !new RegExp(schema.pattern).test(value))
    problems.push(`${path}: not ${schema.pattern}`);
  if (value.length < (schema.minLength ?? 0)) problems.push(`${path}: too short`);
  if (value.length > (schema.maxLength ?? Number.POSITIVE_INFINITY)) problems.push(`${path}: too long`);
  return problems;
}
