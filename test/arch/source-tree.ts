import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync } from 'oxc-parser';

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

export interface Import {
  readonly specifier: string;
  /** Repository path of a file of ours; null for packages and node built-ins. */
  readonly target: string | null;
  readonly names: readonly string[];
  readonly typeOnly: boolean;
  readonly reexport: boolean;
}

export interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly lines: number;
  readonly imports: readonly Import[];
  readonly exports: readonly string[];
  readonly functions: readonly { readonly name: string; readonly lines: number }[];
  /** Mutable bindings at the top of the module. */
  readonly mutable: readonly string[];
  readonly defaultExport: boolean;
}

function walkFiles(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.(?:ts|mjs)$/.test(entry.name) && !entry.parentPath.includes('node_modules'))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
    .sort();
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string';
}

function children(node: Node): Node[] {
  return Object.values(node)
    .flatMap((value): unknown[] => (Array.isArray(value) ? value : [value]))
    .filter(isNode);
}

function visit(node: Node, enter: (node: Node) => void): void {
  enter(node);
  for (const child of children(node)) visit(child, enter);
}

const FUNCTIONS = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression']);

function nameOf(node: Node): string {
  const id = node.id ?? node.key;
  return isNode(id) && typeof id.name === 'string' ? id.name : '(anonymous)';
}

function specifierNames(node: Node): string[] {
  const specifiers = Array.isArray(node.specifiers) ? node.specifiers.filter(isNode) : [];
  return specifiers.map((specifier) => {
    if (specifier.type === 'ImportNamespaceSpecifier') return '*';
    if (specifier.type === 'ImportDefaultSpecifier') return 'default';
    const imported = specifier.imported ?? specifier.local;
    return isNode(imported) ? String(imported.name ?? imported.value) : '';
  });
}

function readImport(node: Node, path: string, source: string): Import {
  const specifiers = Array.isArray(node.specifiers) ? node.specifiers.filter(isNode) : [];
  const kind = node.importKind ?? node.exportKind;
  const typeOnly =
    kind === 'type' ||
    (specifiers.length > 0 && specifiers.every((one) => (one.importKind ?? one.exportKind) === 'type'));
  return {
    specifier: source,
    target: source.startsWith('.') ? relative(ROOT, resolve(ROOT, dirname(path), source)) : null,
    names: node.type === 'ExportAllDeclaration' ? ['*'] : specifierNames(node),
    typeOnly,
    reexport: node.type !== 'ImportDeclaration',
  };
}

/** Parses one file and lists what the architecture rules look at. */
export function readSource(path: string): SourceFile {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const program = parseSync(path, text).program as unknown as Node;
  const body = (program.body as unknown[]).filter(isNode);
  const imports: Import[] = [];
  const exports: string[] = [];
  const mutable: string[] = [];
  const functions: { name: string; lines: number }[] = [];
  const lineOf = (offset: number): number => text.slice(0, offset).split('\n').length;
  for (const node of body) {
    const source = isNode(node.source) ? String(node.source.value) : null;
    if (source !== null) imports.push(readImport(node, path, source));
    else if (node.type === 'ExportNamedDeclaration') exports.push(...exportedNames(node));
    const declaration = isNode(node.declaration) ? node.declaration : node;
    if (declaration.type === 'VariableDeclaration' && declaration.kind !== 'const')
      mutable.push(text.slice(node.start, node.start + 60));
  }
  visit(program, (node) => {
    if (FUNCTIONS.has(node.type))
      functions.push({ name: nameOf(node), lines: lineOf(node.end) - lineOf(node.start) + 1 });
    if (node.type === 'MethodDefinition' && isNode(node.value)) {
      functions.push({ name: nameOf(node), lines: lineOf(node.end) - lineOf(node.start) + 1 });
    }
    if (node.type === 'ImportExpression' && isNode(node.source) && typeof node.source.value === 'string') {
      imports.push({ ...readImport(node, path, node.source.value), names: ['*'], typeOnly: false, reexport: false });
    }
  });
  return {
    path,
    text,
    lines: text.split('\n').length - 1,
    imports,
    exports,
    functions,
    mutable,
    defaultExport: body.some((node) => node.type === 'ExportDefaultDeclaration'),
  };
}

function exportedNames(node: Node): string[] {
  const declaration = isNode(node.declaration) ? node.declaration : null;
  if (declaration === null) {
    const specifiers = Array.isArray(node.specifiers) ? node.specifiers.filter(isNode) : [];
    return specifiers.map((one) => (isNode(one.exported) ? String(one.exported.name) : ''));
  }
  if (Array.isArray(declaration.declarations)) return declaration.declarations.filter(isNode).map(nameOf);
  return [nameOf(declaration)];
}

export function readTree(...folders: readonly string[]): SourceFile[] {
  return folders.flatMap(walkFiles).map(readSource);
}

const BUILTINS = new Set(builtinModules);

/** `matrix-js-sdk` of `matrix-js-sdk/lib/x`; null for built-ins and files of ours. */
export function packageOf(specifier: string): string | null {
  if (specifier.startsWith('.') || specifier.startsWith('node:') || BUILTINS.has(specifier)) return null;
  const [scope = '', name = ''] = specifier.split('/');
  return scope.startsWith('@') ? `${scope}/${name}` : scope;
}

/** Groups of files that import each other, value and type imports alike. */
export function cycles(files: readonly SourceFile[]): string[][] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const found: string[][] = [];
  const connect = (path: string): void => {
    index.set(path, index.size);
    low.set(path, index.get(path) ?? 0);
    stack.push(path);
    for (const { target } of byPath.get(path)?.imports ?? []) {
      if (target === null || !byPath.has(target)) continue;
      if (!index.has(target)) connect(target);
      if (stack.includes(target)) low.set(path, Math.min(low.get(path) ?? 0, low.get(target) ?? 0));
    }
    if (low.get(path) !== index.get(path)) return;
    const group = stack.splice(stack.indexOf(path));
    const selfImport = byPath.get(path)?.imports.some(({ target }) => target === path);
    if (group.length > 1 || selfImport) found.push(group);
  };
  for (const { path } of files) if (!index.has(path)) connect(path);
  return found;
}
