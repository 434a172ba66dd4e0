import { readFileSync, statSync } from 'node:fs';
import type * as z from 'zod';
import { errorCode } from '../util/relay-error.ts';
import { type At, checkMatrix, checkRadios, checkRooms, dropUnfilledAccount } from './checks.ts';
import { coerce } from './coerce.ts';
import { Draft, isMapping } from './draft.ts';
import { applyEnv, applySecretFiles, type Env } from './env.ts';
import { expandTilde } from './expand.ts';
import { applyLegacy } from './legacy.ts';
import { normalise } from './normalise.ts';
import { checkPlugins } from './plugin-checks.ts';
import { fileProblem, type Path, type Problem, pathText } from './problems.ts';
import { roomSchema } from './schema/matrix.ts';
import { radioSchema } from './schema/meshtastic.ts';
import { type ConfigShape, type ParsedConfig, rootSchema } from './schema/root.ts';
import { type KeyNode, keyTree } from './schema/tree.ts';
import { secretValues } from './secrets.ts';
import { slipRemedy } from './slips.ts';
import type { RelayConfig } from './types.ts';
import { readYaml, type YamlSource } from './yaml-source.ts';

export interface LoadedConfig {
  /** null when there is an error among the problems. */
  readonly config: RelayConfig | null;
  /** The file it came from; null when there was none. */
  readonly file: string | null;
  readonly problems: readonly Problem[];
  /** Values that must never be shown: for the log's redactor. */
  readonly secrets: readonly string[];
  /** Where the key of a path stands, for what is found out later. */
  readonly place: YamlSource['place'];
}

const NOTHING_READ: Pick<LoadedConfig, 'secrets' | 'place'> = { secrets: [], place: () => ({ line: 1, column: 1 }) };

export interface ParseOptions {
  readonly text: string;
  /** For places only; null for a configuration that comes from the environment alone. */
  readonly file: string | null;
  readonly env: Env;
  /** Reads a secret file; throws what fs throws. */
  readonly readSecret?: (path: string) => string;
}

const MAX_BYTES = 4 * 1024 * 1024;

/** Reads, checks and completes a configuration file. Never throws: everything wrong is among the problems. */
export function loadConfigFile(file: string, env: Env): LoadedConfig {
  const failed = (message: string, remedy: string | null, line = 1): LoadedConfig => ({
    config: null,
    file,
    problems: [fileProblem(file, message, { remedy, line })],
    ...NOTHING_READ,
  });
  let bytes: Buffer;
  try {
    const stat = statSync(file);
    if (stat.isDirectory())
      return failed('is a directory', 'name a file (Docker makes a directory of a missing mount)');
    if (stat.size > MAX_BYTES) return failed('is far too large for a configuration', null);
    bytes = readFileSync(file);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return failed('there is no such file', 'check the path');
    return failed(`cannot be read (${errorCode(error) || 'failure'})`, 'check the path and its permissions');
  }
  const text = decode(bytes);
  if (text !== null) return parseConfig({ text, file, env });
  return failed('is not a text file in UTF-8', 'save it as UTF-8 text', firstUndecodableLine(bytes));
}

/** Counted from 1. A line feed is never a part of another character, so that each line can be tried alone. */
function firstUndecodableLine(bytes: Buffer): number {
  let line = 1;
  for (let start = 0; start < bytes.length; line += 1) {
    const end = bytes.indexOf(0x0a, start);
    const stop = end === -1 ? bytes.length : end;
    if (decode(bytes.subarray(start, stop)) === null) return line;
    start = stop + 1;
  }
  return 1;
}

/** UTF-8, or UTF-16 with a byte order mark; null for anything else. */
function decode(bytes: Buffer): string | null {
  const encoding = bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : 'utf-8';
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
    return text.includes('\0') ? null : text;
  } catch {
    return null; // bytes that are not text in that encoding
  }
}

/** The same from a text. */
export function parseConfig(options: ParseOptions): LoadedConfig {
  const source = readYaml(options.text);
  const { file } = options;
  const value = source.value;
  if (value !== null && !isMapping(value)) {
    const kind = Array.isArray(value) ? 'is a list' : 'is a single value';
    const wrong = fileProblem(file, `${kind} where a mapping of sections is needed`, {
      remedy: 'start with a line such as matrix:',
    });
    return { config: null, file, problems: [...sourceProblems(source, file), wrong], ...NOTHING_READ };
  }
  const raw = value === null ? Object.create(null) : value;
  const syntax = sourceProblems(source, file);
  // After a syntax error the values are not there: more complaints would be noise.
  if (value === null && syntax.length > 0) return { config: null, file, problems: syntax, ...NOTHING_READ };
  const shape = shapeOf(raw);
  const schema = rootSchema(shape);
  const tree = keyTree(schema);
  const draft = new Draft({ value: raw, file, source, tree });
  if (value === null && file !== null) {
    draft.report({
      severity: 'warning',
      path: [],
      message: 'is empty',
      hideValue: true,
      remedy: '`mmrelay config generate` writes a sample',
    });
  }
  prepare(draft, { shape, options, tree });
  const parsed = validate(draft, schema);
  check(draft, shape);
  // What follows from a line that could not be read would be noise.
  const own = draft.problems.filter(
    ({ line, variable }) => variable !== null || !syntax.some((one) => one.line === line),
  );
  const problems = [...syntax, ...own];
  const usable = parsed !== null && !problems.some((problem) => problem.severity === 'error');
  return {
    config: usable ? normalise(parsed) : null,
    file,
    problems,
    secrets: secretValues(draft),
    place: source.place,
  };
}

function sourceProblems(source: YamlSource, file: string | null): Problem[] {
  return source.problems.map(({ place, path, message, remedy }) =>
    fileProblem(file, message, { ...place, path: pathText(path), remedy }),
  );
}

function shapeOf(raw: Record<string, unknown>): ConfigShape {
  return {
    radios: Array.isArray(raw.meshtastic) ? 'list' : 'single',
    rooms: isMapping(raw.matrix_rooms) ? 'dict' : 'list',
  };
}

const RADIO_SECRETS: Path = ['mqtt', 'password'];

function radioPaths(draft: Draft, shape: ConfigShape): Path[] {
  const list = draft.get(['meshtastic']);
  return shape.radios === 'list' && Array.isArray(list)
    ? list.map((_, index) => ['meshtastic', index])
    : [['meshtastic']];
}

function secretPaths(draft: Draft, shape: ConfigShape): Path[] {
  return [
    ['matrix', 'password'],
    ['matrix', 'access_token'],
    ...radioPaths(draft, shape).map((path) => [...path, ...RADIO_SECRETS]),
  ];
}

function prepare(
  draft: Draft,
  context: { readonly shape: ConfigShape; readonly options: ParseOptions; readonly tree: KeyNode },
): void {
  const { shape, options, tree } = context;
  const readSecret = options.readSecret ?? ((path: string) => readSecretFile(path, options.env));
  applyLegacy(draft, radioPaths(draft, shape));
  applyEnv({ draft, tree, env: options.env, readSecret });
  dropUnfilledAccount(draft);
  applySecretFiles(draft, secretPaths(draft, shape), readSecret);
  coerce(draft, tree);
  checkPlugins(draft);
}

/** A file whose first line is the secret. */
function readSecretFile(path: string, env: Env): string {
  return (readFileSync(expandTilde(path, env), 'utf8').split(/\r?\n/, 1)[0] ?? '').trimEnd();
}

/** Validates; bad values of tolerant keys are dropped with a warning, and it is tried again. */
function validate(draft: Draft, schema: z.ZodType<ParsedConfig>): ParsedConfig | null {
  for (let round = 0; round < 100; round += 1) {
    const result = schema.safeParse(draft.value);
    if (result.success) return result.data;
    const paths = result.error.issues.map((issue) => issuePath(issue.path));
    const tolerated = unique(paths).flatMap((path) => {
      const left = tolerantPath(draft, path);
      return left === null ? [] : [{ path, left }];
    });
    if (tolerated.length === 0) {
      for (const path of unique(paths)) reportInvalid(draft, path);
      return null;
    }
    const firsts = new Map(tolerated.map((one) => [pathText(one.left), one]));
    for (const { path, left } of firsts.values()) reportTolerated(draft, path, left);
    for (const { left } of firsts.values()) draft.remove(left);
  }
  draft.report({ severity: 'error', path: [], message: 'has too many bad values' });
  return null;
}

function issuePath(path: readonly PropertyKey[]): Path {
  return path.map((step) => (typeof step === 'number' ? step : String(step)));
}

function unique(paths: readonly Path[]): Path[] {
  return [...new Map(paths.map((path) => [JSON.stringify(path), path])).values()];
}

/** The nearest key, the bad one or one around it, that may be left out; null when it is an error. */
function tolerantPath(draft: Draft, path: Path): Path | null {
  for (let length = path.length; length > 0; length -= 1) {
    const prefix = path.slice(0, length);
    if (draft.node(prefix)?.meta.tolerant === true && draft.get(prefix) !== undefined) return prefix;
  }
  return null;
}

function reportTolerated(draft: Draft, path: Path, left: Path): void {
  const known = deepestKnown(draft, path, left);
  const fallback = draft.node(left)?.default;
  const what = known.length === left.length ? 'it' : pathText(left);
  const used = fallback === undefined ? `${what} is ignored` : `${String(fallback)} is used`;
  draft.report({ severity: 'warning', path: known, message: `is not valid; ${used}`, expected: draft.expected(known) });
}

/** Of a value inside a key that takes a list or mapping as a whole, that key is spoken of. */
function deepestKnown(draft: Draft, path: Path, least: Path): Path {
  for (let length = path.length; length > least.length; length -= 1) {
    if (draft.node(path.slice(0, length)) !== null) return path.slice(0, length);
  }
  return least;
}

function reportInvalid(draft: Draft, path: Path): void {
  const missing = draft.get(path) === undefined;
  const node = draft.node(path);
  const sample = node?.meta.sample ?? node?.meta.example;
  draft.report({
    severity: 'error',
    path,
    message: missing ? 'is missing' : 'is not valid',
    expected: draft.expected(path),
    remedy:
      remedyOf(node, draft.get(path)) ??
      (missing && sample !== undefined ? `add ${String(path.at(-1))}: ${JSON.stringify(sample)}` : null),
  });
}

function remedyOf(node: KeyNode | null, value: unknown): string | null {
  const slip = typeof value === 'string' && node !== null && node.kind !== 'value' ? slipRemedy(value) : null;
  const remedy = node?.meta.remedy ?? null;
  return slip ?? (typeof remedy === 'function' ? remedy(value) : remedy);
}

/** Looks at every radio and room that is valid in itself, even when others are not: all problems come at once. */
function check(draft: Draft, shape: ConfigShape): void {
  const radios = radioPaths(draft, shape).flatMap((path) => validAt(draft, path, radioSchema));
  const rooms = roomPaths(draft).flatMap((path) => validAt(draft, path, roomSchema));
  checkRadios(draft, radios);
  checkRooms(draft, rooms, radioNames(draft, shape));
  checkMatrix(draft);
}

function validAt<T>(draft: Draft, path: Path, schema: z.ZodType<T>): At<T>[] {
  const { data } = schema.safeParse(draft.get(path));
  return data === undefined ? [] : [{ value: data, path }];
}

function roomPaths(draft: Draft): Path[] {
  const rooms = draft.get(['matrix_rooms']);
  if (Array.isArray(rooms)) return rooms.map((_, index) => ['matrix_rooms', index]);
  return isMapping(rooms) ? Object.keys(rooms).map((name) => ['matrix_rooms', name]) : [];
}

/** Of all radios, also of those that are not valid otherwise. */
function radioNames(draft: Draft, shape: ConfigShape): string[] {
  return radioPaths(draft, shape).map((path) => String(draft.get([...path, 'name']) ?? 'default'));
}
