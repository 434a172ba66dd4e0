import * as z from 'zod';
import { anyRootSchema } from './schema/root.ts';

/** Keys of ours in the metadata that mean nothing to an editor. */
const OWN_KEYS = [
  'doc',
  'env',
  'secret',
  'tolerant',
  'sample',
  'example',
  'placeholder',
  'instead',
  'expected',
] as const;

/** The JSON Schema of config.yaml, for editors: what may be written, with the documentation of every key. */
export function jsonSchema(): Readonly<Record<string, unknown>> {
  const schema = z.toJSONSchema(anyRootSchema(), {
    target: 'draft-7',
    io: 'input',
    reused: 'inline',
    override: ({ jsonSchema: node }) => {
      const meta: Record<string, unknown> = node;
      if (typeof meta.doc === 'string') meta.description = meta.doc;
      if (typeof meta.instead === 'string') {
        meta.deprecated = true;
        meta.description = `${String(meta.description)} Old: ${meta.instead}.`;
      }
      if (meta.example !== undefined) meta.examples = [meta.example];
      for (const name of OWN_KEYS) delete meta[name];
    },
  });
  return { ...schema, properties: withEmptySections(schema.properties ?? {}), title: 'Configuration of mmrelay' };
}

/** A section whose keys are all commented out reads as null. */
function withEmptySections(properties: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(properties).map(([name, section]) => {
      const plain = typeof section === 'object' && section !== null && 'type' in section && section.type === 'object';
      return [name, plain ? { ...section, type: ['object', 'null'] } : section];
    }),
  );
}
