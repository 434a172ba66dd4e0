import { parseDuration } from '../../util/duration.ts';
import type { ArgSpec } from '../api.ts';

export type ArgValue = string | number;
export type ParsedArgs =
  | { readonly ok: true; readonly args: Readonly<Record<string, ArgValue>> }
  | { readonly ok: false; readonly problem: string };

type Specs = Readonly<Record<string, ArgSpec>>;

/** `!name <a> [b]`: required in angle brackets, optional in square ones. */
export function usageOf(name: string, specs: Specs = {}): string {
  const parts = Object.entries(specs).map(([key, spec]) => (spec.optional ? `[${key}]` : `<${key}>`));
  return [`!${name}`, ...parts].join(' ');
}

/**
 * Reads the arguments of a command: words in the order of the specs, `name=value` anywhere, `text` takes the rest.
 * @param findNode number of the node behind an id, number or name; null for none
 */
export async function parseArguments(
  text: string,
  specs: Specs,
  findNode: (which: string) => Promise<number | null>,
): Promise<ParsedArgs> {
  const raw = assign(text, specs);
  if (typeof raw === 'string') return { ok: false, problem: raw };
  const args: Record<string, ArgValue> = {};
  for (const [name, spec] of Object.entries(specs)) {
    const words = raw.get(name);
    if (words === undefined) {
      if (spec.optional) continue;
      return { ok: false, problem: `${name} is missing` };
    }
    const value = await readValue(words, spec, findNode);
    if (typeof value === 'object') return { ok: false, problem: `${name} must be ${value.expected}` };
    args[name] = value;
  }
  return { ok: true, args };
}

/** Which words belong to which argument, or what is wrong. */
function assign(text: string, specs: Specs): Map<string, string> | string {
  const raw = new Map<string, string>();
  const free = new Map(Object.entries(specs));
  let rest = text.trim();
  while (rest !== '') {
    const word = /^\S+/.exec(rest)?.[0] ?? '';
    const named = /^([A-Za-z][\w-]*)=(.*)$/s.exec(word);
    const key = named?.[1]?.toLowerCase() ?? '';
    const spec = free.get(key);
    if (named !== null && spec !== undefined) {
      raw.set(key, spec.type === 'text' ? rest.slice(key.length + 1) : (named[2] ?? ''));
      free.delete(key);
      rest = spec.type === 'text' ? '' : rest.slice(word.length).trim();
      continue;
    }
    const [next] = free;
    if (next === undefined) return `"${word}" is too much`;
    raw.set(next[0], next[1].type === 'text' ? rest : word);
    free.delete(next[0]);
    rest = next[1].type === 'text' ? '' : rest.slice(word.length).trim();
  }
  return raw;
}

async function readValue(
  text: string,
  spec: ArgSpec,
  findNode: (which: string) => Promise<number | null>,
): Promise<ArgValue | { readonly expected: string }> {
  switch (spec.type) {
    case 'word':
    case 'text':
      return text;
    case 'integer':
    case 'number':
      return readNumber(text, spec);
    case 'duration':
      return parseDuration(text) ?? { expected: 'a time, as 30m, 24h or 7d' };
    case 'choice':
      return (
        spec.choices.find((choice) => choice.toLowerCase() === text.toLowerCase()) ?? {
          expected: `one of ${spec.choices.join(', ')}`,
        }
      );
    case 'node':
      return (await findNode(text)) ?? { expected: 'a node the relay knows: !id, short or long name' };
  }
}

function readNumber(
  text: string,
  { type, min = -Infinity, max = Infinity }: Extract<ArgSpec, { type: 'integer' | 'number' }>,
): number | { readonly expected: string } {
  const pattern = type === 'integer' ? /^[+-]?\d{1,15}$/ : /^[+-]?\d{1,15}(?:\.\d{1,15})?$/;
  const value = Number(text);
  const fine = pattern.test(text) && value >= min && value <= max;
  const bounds = min === -Infinity || max === Infinity ? '' : ` from ${min} to ${max}`;
  return fine ? value : { expected: `${type === 'integer' ? 'a whole number' : 'a number'}${bounds}` };
}
