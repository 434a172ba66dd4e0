import { nearest } from '../util/nearest.ts';
import { type Draft, isMapping } from './draft.ts';
import { type Path, pathText } from './problems.ts';
import { type Accepts, expectedText, type KeyNode } from './schema/tree.ts';
import { slipRemedy } from './slips.ts';

const TRUE_WORDS = new Set(['1', 'true', 'yes', 'on']);
const FALSE_WORDS = new Set(['0', 'false', 'no', 'off']);
const NUMBER = /^\s*[-+]?(\d+(\.\d*)?|\.\d+)\s*$/;

/** Forgives what can be forgiven without guessing, and reports keys nobody knows. */
export function coerce(draft: Draft, tree: KeyNode): void {
  walk(draft, tree, []);
}

function walk(draft: Draft, node: KeyNode, path: Path): void {
  const value = draft.get(path);
  if (node.kind === 'value') {
    coerceValue(draft, node, path);
    return;
  }
  if (node.kind === 'list') {
    if (!Array.isArray(value) || node.rest === null) return;
    for (const index of value.keys()) walk(draft, node.rest, [...path, index]);
    return;
  }
  if (!isMapping(value)) return;
  for (const name of Object.keys(value)) walkKey(draft, node, [...path, name]);
}

function walkKey(draft: Draft, parent: KeyNode, path: Path): void {
  const name = String(path.at(-1));
  if (draft.get(path) === null) {
    draft.remove(path); // as the old parser: a key without a value is a key left out
    if (parent.children.has(name)) return;
  }
  const child = parent.children.get(name) ?? parent.rest;
  if (child !== null) {
    noteDeprecated(draft, child, path);
    walk(draft, child, path);
  } else if (!parent.open) {
    // `x-anything` at the top: a place for anchors, as other YAML programs have it.
    if (path.length > 1 || !name.startsWith('x-')) reportUnknown(draft, parent, path);
    draft.remove(path);
  }
}

function noteDeprecated(draft: Draft, node: KeyNode, path: Path): void {
  if (node.meta.instead === undefined) return;
  draft.report({
    severity: 'note',
    path,
    message: draft.wasMoved(path) ? `is an old spelling of ${pathText(path)}` : 'is an old key',
    remedy: node.meta.instead,
    hideValue: true,
  });
}

function reportUnknown(draft: Draft, parent: KeyNode, path: Path): void {
  const name = String(path.at(-1));
  const found = nearest(name, parent.children.keys());
  const isSection = path.length > 1 && draft.node([name]) !== null;
  const place = isSection ? 'it is a section of its own: move it to the left edge' : null;
  const guess = found === null ? 'remove it, or check in which section it belongs' : null;
  draft.report({
    severity: 'warning',
    path,
    message: 'is not a known key and has no effect',
    nearest: found,
    remedy: slipRemedy(name) ?? place ?? guess,
    hideValue: true,
  });
}

function coerceValue(draft: Draft, node: KeyNode, path: Path): void {
  const value = draft.get(path);
  if (value === undefined) return;
  const text = draft.text(path);
  const better = coerced(node.accepts, value, text);
  if (better === null || !draft.set(path, better.value)) return;
  if (better.note === null || draft.variable(path) !== null) return;
  draft.report({ severity: 'note', path, message: better.note, expected: expectedText(node), hideValue: true });
}

interface Better {
  readonly value: unknown;
  readonly note: string | null;
}

/** null: leave it as it is. */
function coerced(accepts: Accepts, value: unknown, text: string | undefined): Better | null {
  const choice = choiceOf(accepts, typeof value === 'string' ? value : (text ?? ''));
  if (choice !== null && !(accepts.boolean && typeof value === 'boolean')) return { value: choice, note: null };
  if (typeof value === 'string') return fromString(accepts, value);
  if (accepts.list && !Array.isArray(value) && !isMapping(value) && !accepts.string && !accepts.number) {
    return typeof value === 'boolean' && accepts.boolean
      ? null
      : { value: [value], note: 'is one value, read as a list of one' };
  }
  if (typeof value === 'number' && accepts.boolean && !accepts.number && (value === 0 || value === 1)) {
    return { value: value === 1, note: 'is a number where true or false is meant' };
  }
  if (accepts.string && !accepts.number && !accepts.boolean && text !== undefined) {
    return { value: text, note: 'is read as text; put it in quotes' };
  }
  return null;
}

function fromString(accepts: Accepts, value: string): Better | null {
  if (accepts.string) return null;
  const word = value.trim().toLowerCase();
  if (accepts.boolean && TRUE_WORDS.has(word)) return { value: true, note: 'is text where true or false is meant' };
  if (accepts.boolean && FALSE_WORDS.has(word)) return { value: false, note: 'is text where true or false is meant' };
  if (accepts.number && NUMBER.test(value)) return { value: Number(value), note: 'is text where a number is meant' };
  if (accepts.list) return { value: [value], note: 'is one value, read as a list of one' };
  return null;
}

function choiceOf(accepts: Accepts, text: string): string | null {
  const word = text.trim().toLowerCase();
  return accepts.choices.find((choice) => choice.toLowerCase() === word) ?? null;
}
