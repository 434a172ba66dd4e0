import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type Scalar,
  type Tags,
  type YAMLMap,
} from 'yaml';
import { type Path, valueText } from './problems.ts';
import { syntaxComplaints } from './yaml-errors.ts';

export interface Place {
  readonly line: number;
  readonly column: number;
}

export interface SourceProblem {
  readonly place: Place;
  readonly path: Path;
  readonly message: string;
  readonly remedy: string | null;
}

/** A YAML file as plain values that remember their places. */
export interface YamlSource {
  /** Mappings have no prototype, so that no key is special. null for an empty file. */
  readonly value: unknown;
  readonly problems: readonly SourceProblem[];
  /** Where the key of a path stands; the nearest parent when the path is not in the file. */
  place(path: Path): Place;
  /** A scalar as written; undefined for anything else. */
  text(path: Path): string | undefined;
}

/** More nodes than any sane file has; stops files whose aliases multiply. */
const MAX_NODES = 50_000;
const MAX_DEPTH = 64;
const START: Place = { line: 1, column: 1 };

/** PyYAML reads yes/no/on/off as booleans, but, unlike the YAML 1.1 text, not y and n. */
const BOOL = /^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$/;
const TRUE = /^(?:yes|true|on)$/i;

function pyYamlTags(tags: Tags): Tags {
  const kept = tags.filter(
    (tag) => typeof tag === 'string' || !(tag.tag === 'tag:yaml.org,2002:bool' && tag.default === true),
  );
  const bool = {
    identify: (value: unknown) => typeof value === 'boolean',
    default: true,
    tag: 'tag:yaml.org,2002:bool',
    test: BOOL,
    resolve: (text: string) => TRUE.test(text),
  } as const;
  return [bool, ...kept];
}

/** Reads YAML 1.1 as the Python relay did, except that duplicate keys are refused. Never throws. */
export function readYaml(text: string): YamlSource {
  const lines = new LineCounter();
  const reader = new Reader(lines);
  try {
    const document = parseDocument(text, {
      version: '1.1',
      merge: true,
      uniqueKeys: false,
      lineCounter: lines,
      prettyErrors: false,
      logLevel: 'error',
      customTags: pyYamlTags,
    });
    reader.read(document, text);
  } catch (error) {
    // The parser's own text may quote the file.
    reader.fail(0, [], `cannot be read as YAML (${error instanceof Error ? error.name : 'failure'})`);
  }
  return reader.result();
}

/** One per file. Holds the places found so far. */
class Reader {
  readonly #lines: LineCounter;
  readonly #places = new Map<string, Place>();
  readonly #texts = new Map<string, string>();
  readonly #problems: SourceProblem[] = [];
  #document: Document | null = null;
  #value: unknown = null;
  #nodes = 0;

  constructor(lines: LineCounter) {
    this.#lines = lines;
  }

  read(document: Document, text: string): void {
    this.#document = document;
    for (const { offset, message, remedy } of syntaxComplaints(document.errors, text))
      this.fail(offset, [], message, remedy);
    for (const warning of document.warnings) {
      if (warning.code === 'TAG_RESOLVE_FAILED') this.fail(warning.pos[0], [], TAG_MESSAGE, 'put the value in quotes');
    }
    if (document.errors.length === 0) this.#value = this.#convert(document.contents, [], []) ?? null;
  }

  result(): YamlSource {
    const places = this.#places;
    const texts = this.#texts;
    const place = (path: Path): Place => {
      for (let length = path.length; length > 0; length -= 1) {
        const found = places.get(pathKey(path.slice(0, length)));
        if (found !== undefined) return found;
      }
      return START;
    };
    return { value: this.#value, problems: this.#problems, place, text: (path) => texts.get(pathKey(path)) };
  }

  fail(offset: number, path: Path, message: string, remedy: string | null = null): void {
    this.#problems.push({ place: this.#at(offset), path, message, remedy });
  }

  #at(offset: number): Place {
    const { line, col } = this.#lines.linePos(offset);
    return line < 1 ? START : { line, column: Math.max(col, 1) };
  }

  #convert(node: unknown, path: Path, parents: readonly unknown[]): unknown {
    this.#nodes += 1;
    if (this.#nodes > MAX_NODES || parents.length > MAX_DEPTH) {
      if (this.#nodes === MAX_NODES + 1 || this.#nodes <= MAX_NODES)
        this.fail(offsetOf(node), path, 'the file is too large or nested too deeply');
      this.#nodes = Math.max(this.#nodes, MAX_NODES + 1);
      return null;
    }
    if (isAlias(node)) return this.#alias(node, path, parents);
    if (isMap(node)) {
      const target: Record<string, unknown> = Object.create(null);
      this.#map(node, path, [...parents, node], target);
      return target;
    }
    if (isSeq(node)) return node.items.map((item, index) => this.#item(item, [...path, index], [...parents, node]));
    if (isScalar(node)) return this.#scalar(node, path);
    return null;
  }

  #alias(node: Node, path: Path, parents: readonly unknown[]): unknown {
    const target = this.#resolve(node);
    if (target === null || parents.includes(target)) {
      this.fail(offsetOf(node), path, 'an alias that contains itself or points nowhere');
      return null;
    }
    return this.#convert(target, path, parents);
  }

  #resolve(node: unknown): Node | null {
    if (!isAlias(node)) return null;
    return this.#document === null ? null : (node.resolve(this.#document) ?? null);
  }

  #item(item: unknown, path: Path, parents: readonly unknown[]): unknown {
    this.#places.set(pathKey(path), this.#at(offsetOf(item)));
    return this.#convert(item, path, parents);
  }

  #scalar(node: Scalar, path: Path): unknown {
    if (node.source !== undefined) this.#texts.set(pathKey(path), node.source);
    return node.value;
  }

  #map(map: YAMLMap, path: Path, parents: readonly unknown[], target: Record<string, unknown>): void {
    const seen = new Map<string, Place>();
    const merges: Pair[] = [];
    for (const pair of map.items) {
      if (isMergeKey(pair)) {
        merges.push(pair);
        continue;
      }
      const name = keyName(pair.key);
      const place = this.#at(offsetOf(pair.key));
      const child = [...path, name];
      const first = seen.get(name);
      if (first !== undefined) {
        const message = `the key ${valueText(name)} stands twice, on line ${first.line} and on line ${place.line}`;
        this.#problems.push({ place, path: child, message, remedy: 'keep one of them' });
        continue;
      }
      seen.set(name, place);
      this.#places.set(pathKey(child), place);
      target[name] = this.#convert(pair.value, child, parents);
    }
    for (const pair of merges) this.#merge(pair.value, { path, parents, target });
  }

  /** `<<`: keys of the mapping itself win, then those of the earlier source. */
  #merge(
    source: unknown,
    into: { readonly path: Path; readonly parents: readonly unknown[]; readonly target: Record<string, unknown> },
  ): void {
    const node = isAlias(source) ? this.#resolve(source) : source;
    if (isSeq(node)) {
      for (const item of node.items) this.#merge(item, into);
      return;
    }
    if (!isMap(node) || into.parents.includes(node)) {
      this.fail(offsetOf(source), into.path, 'the merge key << needs a mapping');
      return;
    }
    const merged: Record<string, unknown> = Object.create(null);
    this.#mergeItems(node, into, merged);
    for (const [name, value] of Object.entries(merged)) if (!(name in into.target)) into.target[name] = value;
  }

  #mergeItems(
    node: YAMLMap,
    into: { readonly path: Path; readonly parents: readonly unknown[]; readonly target: Record<string, unknown> },
    merged: Record<string, unknown>,
  ): void {
    const nested: Pair[] = [];
    for (const pair of node.items) {
      if (isMergeKey(pair)) {
        nested.push(pair);
        continue;
      }
      const name = keyName(pair.key);
      if (name in into.target || name in merged) continue;
      const child = [...into.path, name];
      this.#places.set(pathKey(child), this.#at(offsetOf(pair.key)));
      merged[name] = this.#convert(pair.value, child, [...into.parents, node]);
    }
    const parents = [...into.parents, node];
    for (const pair of nested) this.#merge(pair.value, { path: into.path, parents, target: merged });
  }
}

function isMergeKey(pair: Pair): boolean {
  return isScalar(pair.key) && pair.key.source === '<<' && pair.key.type === 'PLAIN';
}

function keyName(node: unknown): string {
  if (isScalar(node)) return node.source ?? String(node.value);
  return node === null || node === undefined ? '' : '?';
}

function offsetOf(node: unknown): number {
  const range = (isScalar(node) || isMap(node) || isSeq(node) || isAlias(node)) && node.range;
  return range ? range[0] : 0;
}

function pathKey(path: Path): string {
  return JSON.stringify(path);
}

const TAG_MESSAGE = 'a value that starts with ! is read as a type, not as text';
