import type * as z from 'zod';
import type { KeyMeta } from './key.ts';

/** What a plain value may be. */
export interface Accepts {
  readonly string: boolean;
  readonly number: boolean;
  readonly boolean: boolean;
  readonly list: boolean;
  readonly choices: readonly string[];
}

/** The schema as a tree of keys, for everything that is not validation: coercion, unknown keys, env, sample, docs. */
export interface KeyNode {
  readonly kind: 'section' | 'map' | 'list' | 'value';
  readonly meta: KeyMeta;
  readonly required: boolean;
  /** undefined when there is none. */
  readonly default: unknown;
  readonly children: ReadonlyMap<string, KeyNode>;
  /** Elements of a list, values of a map, further keys of a section; null: none. */
  readonly rest: KeyNode | null;
  /** Keys outside `children` are somebody else's business. */
  readonly open: boolean;
  readonly accepts: Accepts;
}

interface Def {
  readonly type: string;
  readonly innerType?: z.ZodType;
  readonly defaultValue?: unknown;
  readonly shape?: Readonly<Record<string, z.ZodType>>;
  readonly catchall?: z.ZodType;
  readonly element?: z.ZodType;
  readonly valueType?: z.ZodType;
  readonly options?: readonly z.ZodType[];
  readonly entries?: Readonly<Record<string, string>>;
  readonly values?: readonly unknown[];
}

const NO_META: KeyMeta = { doc: '' };
const NOTHING: Accepts = { string: false, number: false, boolean: false, list: false, choices: [] };

function definition(schema: z.ZodType): Def {
  return schema._zod.def as unknown as Def;
}

function metaOf(schema: z.ZodType): KeyMeta | null {
  const meta: Record<string, unknown> | undefined = schema.meta();
  return meta !== undefined && typeof meta.doc === 'string' ? { ...meta, doc: meta.doc } : null;
}

/** The tree behind a schema of this folder. */
export function keyTree(schema: z.ZodType): KeyNode {
  let meta = metaOf(schema);
  let inner = schema;
  let required = true;
  let fallback: unknown;
  for (let def = definition(inner); isWrapper(def) && def.innerType !== undefined; def = definition(inner)) {
    required = false;
    if (def.type === 'default') fallback = def.defaultValue;
    inner = def.innerType;
    meta ??= metaOf(inner);
  }
  return { ...shapeOf(inner), meta: meta ?? NO_META, required, default: fallback };
}

function isWrapper(def: Def): boolean {
  return def.type === 'default' || def.type === 'prefault' || def.type === 'optional';
}

type Shape = Pick<KeyNode, 'kind' | 'children' | 'rest' | 'open' | 'accepts'>;

function shapeOf(schema: z.ZodType): Shape {
  const def = definition(schema);
  const base = { children: new Map<string, KeyNode>(), rest: null, open: false, accepts: NOTHING };
  if (def.type === 'object' && def.shape !== undefined) {
    const children = new Map(Object.entries(def.shape).map(([name, child]) => [name, keyTree(child)] as const));
    const open = def.catchall !== undefined && definition(def.catchall).type === 'unknown';
    const rest = def.catchall !== undefined && !open ? keyTree(def.catchall) : null;
    return { ...base, kind: 'section', children, rest, open };
  }
  if (def.type === 'array' && def.element !== undefined) {
    const rest = keyTree(def.element);
    return rest.kind === 'section'
      ? { ...base, kind: 'list', rest }
      : { ...base, kind: 'value', accepts: { ...NOTHING, list: true } };
  }
  if (def.type === 'record' && def.valueType !== undefined)
    return { ...base, kind: 'map', rest: keyTree(def.valueType) };
  return { ...base, kind: 'value', accepts: accepts(schema) };
}

function accepts(schema: z.ZodType): Accepts {
  const def = definition(schema);
  switch (def.type) {
    case 'string':
      return { ...NOTHING, string: true };
    case 'number':
      return { ...NOTHING, number: true };
    case 'boolean':
      return { ...NOTHING, boolean: true };
    case 'array':
      return { ...NOTHING, list: true };
    case 'enum':
      return { ...NOTHING, choices: Object.values(def.entries ?? {}) };
    case 'literal':
      return literalAccepts(def.values ?? []);
    case 'union':
      return (def.options ?? []).map(accepts).reduce(either, NOTHING);
    default:
      return NOTHING;
  }
}

function literalAccepts(values: readonly unknown[]): Accepts {
  return {
    ...NOTHING,
    boolean: values.some((value) => typeof value === 'boolean'),
    choices: values.filter((value) => typeof value === 'string'),
  };
}

function either(a: Accepts, b: Accepts): Accepts {
  return {
    string: a.string || b.string,
    number: a.number || b.number,
    boolean: a.boolean || b.boolean,
    list: a.list || b.list,
    choices: [...a.choices, ...b.choices],
  };
}

/** In words, what a key takes. */
export function expectedText(node: KeyNode): string {
  if (node.meta.expected !== undefined) return node.meta.expected;
  if (node.kind === 'section') return 'a mapping of keys';
  if (node.kind === 'map') return 'a mapping';
  if (node.kind === 'list') return 'a list';
  const parts = [...node.accepts.choices];
  if (node.accepts.boolean) parts.unshift('true or false');
  if (node.accepts.number) parts.push('a number');
  if (node.accepts.string) parts.push('text');
  if (node.accepts.list) parts.push('a list');
  return parts.join(', ').replace(/, ([^,]*)$/, ' or $1');
}

/** The node at a path, through lists and maps; null when the schema has no such key. */
export function nodeAt(root: KeyNode, path: readonly PropertyKey[]): KeyNode | null {
  let node: KeyNode | null = root;
  for (const step of path) {
    if (node === null) return null;
    node = node.children.get(String(step)) ?? node.rest;
  }
  return node;
}
