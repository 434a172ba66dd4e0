import * as z from 'zod';
import { OLD_KEYS, OLD_RADIO_KEYS, OLD_WORDS, type OldKey } from './legacy.ts';
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
  'remedy',
] as const;

type Node = Record<string, unknown>;

/** The JSON Schema of config.yaml, for editors: what may be written, with the documentation of every key. */
export function jsonSchema(): Readonly<Record<string, unknown>> {
  const schema: Node = z.toJSONSchema(anyRootSchema(), {
    target: 'draft-7',
    io: 'input',
    reused: 'inline',
    override: ({ jsonSchema: node }) => complete(node),
  });
  for (const key of OLD_KEYS) addOldKey(schema, key);
  for (const radio of radiosOf(schema)) for (const key of OLD_RADIO_KEYS) addOldKey(radio, key);
  const sections = childrenOf(schema);
  closePlugins(sections.plugins);
  // Documented as the short form of `mode`.
  sections.direct_messages = { anyOf: [sections.direct_messages, { enum: ['off', 'rooms', false, true] }] };
  return { ...schema, patternProperties: { '^x-': {} }, title: 'Configuration of mmrelay' };
}

/** Documentation for the editor, and the rules of the checker: no unknown keys, and a key without a value is left out. */
function complete(node: Node): void {
  if (typeof node.doc === 'string') node.description = node.doc;
  if (typeof node.instead === 'string') {
    node.deprecated = true;
    node.description = `${String(node.description)} Old: ${node.instead}.`;
  }
  if (node.example !== undefined) node.examples = [node.example];
  for (const name of OWN_KEYS) delete node[name];
  if (!isNode(node.properties)) return;
  node.additionalProperties ??= false;
  const required = Array.isArray(node.required) ? node.required : [];
  for (const [name, child] of Object.entries(node.properties)) {
    if (!isNode(child)) continue;
    if (Array.isArray(child.enum)) allowAnyCase(child, OLD_WORDS[name] ?? []);
    if (!required.includes(name)) allowNull(child);
  }
}

/** Words count in any case, and old ones too; only the present ones are offered. */
function allowAnyCase(node: Node, oldWords: readonly string[]): void {
  const { enum: choices, type: _type, ...rest } = node;
  const words = [choices, ...oldWords].flat().map(String);
  const pattern = `^(${words.map((word) => word.replace(/[a-z]/g, (c) => `[${c}${c.toUpperCase()}]`)).join('|')})$`;
  for (const name of Object.keys(node)) delete node[name];
  Object.assign(node, rest, { anyOf: [{ enum: choices }, { type: 'string', pattern }] });
}

function allowNull(node: Node): void {
  if (Array.isArray(node.anyOf)) node.anyOf = [...node.anyOf, { type: 'null' }];
  if (typeof node.type === 'string') node.type = [node.type, 'null'];
}

function addOldKey(root: Node, { from, to }: OldKey): void {
  const parent = from.slice(0, -1).reduce((node, name) => asNode(childrenOf(node)[name]), root);
  childrenOf(parent)[from.at(-1) ?? ''] = { deprecated: true, description: `Old spelling of ${to.join('.')}.` };
}

/** A radio alone, and one of a list. */
function radiosOf(schema: Node): Node[] {
  const { anyOf } = asNode(childrenOf(schema).meshtastic);
  return (Array.isArray(anyOf) ? anyOf : []).map((form) =>
    asNode(isNode(form) && isNode(form.items) ? form.items : form),
  );
}

/** Core plugins are all known. */
function closePlugins(section: unknown): void {
  asNode(section).additionalProperties = false;
}

function childrenOf(node: Node): Node {
  return asNode(node.properties);
}

function asNode(value: unknown): Node {
  return isNode(value) ? value : {};
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
