import { type Path, type Problem, pathText, valueText } from './problems.ts';
import { expectedText, type KeyNode, nodeAt } from './schema/tree.ts';
import type { YamlSource } from './yaml-source.ts';

export interface Remark {
  readonly severity: Problem['severity'];
  readonly path: Path;
  readonly message: string;
  readonly expected?: string | null;
  readonly nearest?: string | null;
  readonly remedy?: string | null;
  /** Leave the value out, because it is long, secret or beside the point. */
  readonly hideValue?: boolean;
}

/**
 * The configuration on its way from the file to the schema. One per load. Holds the plain values, which are changed in
 * place (old spellings, environment), and where each came from. Invariant: every problem has a place or a variable.
 */
export class Draft {
  readonly value: Record<string, unknown>;
  readonly problems: Problem[] = [];
  readonly #file: string | null;
  readonly #source: YamlSource;
  readonly #tree: KeyNode;
  readonly #variables = new Map<string, string>();
  readonly #moved = new Map<string, Path>();

  constructor(options: {
    readonly value: Record<string, unknown>;
    readonly file: string | null;
    readonly source: YamlSource;
    readonly tree: KeyNode;
  }) {
    this.value = options.value;
    this.#file = options.file;
    this.#source = options.source;
    this.#tree = options.tree;
  }

  get(path: Path): unknown {
    let value: unknown = this.value;
    for (const step of path) {
      if (!isContainer(value)) return undefined;
      value = ownValue(value, step);
    }
    return value;
  }

  /** Sets a value, making the mappings on the way. False when something on the way is not a mapping or list. */
  set(path: Path, value: unknown): boolean {
    let target: unknown = this.value;
    for (const step of path.slice(0, -1)) {
      if (!isContainer(target) || !fits(target, step)) return false;
      const next = ownValue(target, step);
      if (next === undefined || next === null) assign(target, step, Object.create(null));
      target = ownValue(target, step);
    }
    const last = path.at(-1);
    if (!isContainer(target) || last === undefined || !fits(target, last)) return false;
    assign(target, last, value);
    return true;
  }

  remove(path: Path): void {
    const target = this.get(path.slice(0, -1));
    const last = path.at(-1);
    if (isContainer(target) && last !== undefined) Reflect.deleteProperty(target, last);
  }

  /** Sets a value that comes from an environment variable. */
  setFromEnv(path: Path, value: unknown, variable: string): boolean {
    if (!this.set(path, value)) return false;
    this.#variables.set(pathText(path), variable);
    return true;
  }

  /** Moves a value to the key that replaces its own; problems keep pointing at the old place. */
  move(from: Path, to: Path): void {
    const value = this.get(from);
    this.remove(from);
    if (this.set(to, value)) this.#moved.set(pathText(to), from);
  }

  /** True when the value was written under another key. */
  wasMoved(path: Path): boolean {
    return this.#moved.has(pathText(path));
  }

  /** Notes that the value at `to` was written at `from`. */
  alias(from: Path, to: Path): void {
    this.#moved.set(pathText(to), from);
  }

  variable(path: Path): string | null {
    for (let length = path.length; length > 0; length -= 1) {
      const found = this.#variables.get(pathText(path.slice(0, length)));
      if (found !== undefined) return found;
    }
    return null;
  }

  /** The scalar as written in the file. */
  text(path: Path): string | undefined {
    return this.variable(path) === null ? this.#source.text(this.#written(path)) : undefined;
  }

  node(path: Path): KeyNode | null {
    return nodeAt(this.#tree, path);
  }

  report(remark: Remark): void {
    const { path } = remark;
    const written = this.#written(path);
    const variable = this.variable(path);
    const { line, column } = variable === null ? this.#source.place(written) : { line: 1, column: 1 };
    this.problems.push({
      severity: remark.severity,
      file: variable === null ? this.#file : null,
      line,
      column,
      variable,
      path: pathText(written),
      message: remark.message,
      value: remark.hideValue ? null : this.#shown(path),
      expected: remark.expected ?? null,
      nearest: remark.nearest ?? null,
      remedy: remark.remedy ?? null,
    });
  }

  /** What the key at a path takes, or its nearest parent that says so. */
  expected(path: Path): string | null {
    for (let length = path.length; length > 0; length -= 1) {
      const node = this.node(path.slice(0, length));
      if (node !== null) return expectedText(node) || null;
    }
    return null;
  }

  #written(path: Path): Path {
    for (let length = path.length; length > 0; length -= 1) {
      const from = this.#moved.get(pathText(path.slice(0, length)));
      if (from !== undefined) return [...from, ...path.slice(length)];
    }
    return path;
  }

  #shown(path: Path): string | null {
    const value = this.get(path);
    if (value === undefined || this.#secret(path)) return null;
    if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
    if (isContainer(value)) return 'a mapping';
    return valueText(value);
  }

  /** Secret by its key, or unknown to us and hence possibly secret. */
  #secret(path: Path): boolean {
    for (let length = 1; length <= path.length; length += 1) {
      if (this.node(path.slice(0, length))?.meta.secret) return true;
    }
    return this.node(path) === null && this.node(path.slice(0, -1))?.kind !== 'value';
  }
}

function isContainer(value: unknown): value is Record<string, unknown> | unknown[] {
  return typeof value === 'object' && value !== null && !(value instanceof Date) && !(value instanceof Uint8Array);
}

/** A mapping, not a list nor a date. */
export function isMapping(value: unknown): value is Record<string, unknown> {
  return isContainer(value) && !Array.isArray(value);
}

/** Lists have numbers, mappings have names. */
function fits(container: object, step: string | number): boolean {
  return Array.isArray(container) === (typeof step === 'number');
}

function ownValue(container: object, step: string | number): unknown {
  if (!fits(container, step)) return undefined;
  return Object.hasOwn(container, step) ? Reflect.get(container, step) : undefined;
}

function assign(container: object, step: string | number, value: unknown): void {
  Object.defineProperty(container, step, { value, writable: true, enumerable: true, configurable: true });
}
