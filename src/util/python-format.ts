/**
 * Templates in the syntax of Python's str.format, as the prefixes of the old relay use it: `{name}`, `{{`, `}}` and
 * `{name:spec}` with the part of the format language that makes sense for text (fill, alignment, width, precision,
 * an optional `s`). Widths count code points, as in Python. Everything else Python knows (`!r`, attributes, indexes,
 * positional fields, numeric formats) is an error, so that the caller can fall back to its default.
 */

export type FormatPart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'field'; readonly name: string; readonly spec: FormatSpec };

export interface FormatSpec {
  readonly fill: string;
  readonly align: '<' | '>' | '^';
  readonly width: number;
  /** Most code points to keep; null: all. */
  readonly precision: number | null;
}

export type FormatTemplate =
  | { readonly ok: true; readonly parts: readonly FormatPart[] }
  | { readonly ok: false; readonly error: string };

export type Formatted = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly error: string };

/** Wider fields would fill a packet with blanks; Python has no limit, we have one against accidents. */
const MAX_WIDTH = 1000;
const PLAIN: FormatSpec = { fill: ' ', align: '<', width: 0, precision: null };

/** Parses a template once; the result can be formatted any number of times. */
export function parseFormat(template: string): FormatTemplate {
  const parts: FormatPart[] = [];
  let text = '';
  let at = 0;
  while (at < template.length) {
    const char = template.charAt(at);
    if (char !== '{' && char !== '}') {
      text += char;
      at += 1;
    } else if (template.charAt(at + 1) === char) {
      text += char;
      at += 2;
    } else if (char === '}') {
      return { ok: false, error: "a single '}': write '}}' for the character itself" };
    } else {
      const end = template.indexOf('}', at);
      if (end < 0) return { ok: false, error: "a '{' without its '}'" };
      const field = parseField(template.slice(at + 1, end));
      if (typeof field === 'string') return { ok: false, error: field };
      if (text !== '') parts.push({ kind: 'text', text });
      text = '';
      parts.push(field);
      at = end + 1;
    }
  }
  if (text !== '') parts.push({ kind: 'text', text });
  return { ok: true, parts };
}

/** A field, or what is wrong with it. */
function parseField(inside: string): FormatPart | string {
  if (inside.includes('{')) return 'a field inside a field';
  const colon = inside.indexOf(':');
  const name = colon < 0 ? inside : inside.slice(0, colon);
  if (name.includes('!')) return 'a conversion such as !r is not supported';
  if (name === '') return 'a field without a name';
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return 'a field whose name is not a plain word';
  const spec = parseSpec(colon < 0 ? '' : inside.slice(colon + 1));
  return spec === null ? `a format that text does not have, for {${name}}` : { kind: 'field', name, spec };
}

function parseSpec(text: string): FormatSpec | null {
  if (text === '') return PLAIN;
  const match = /^(?:(.)?([<>^]))?(0)?(\d{1,4})?(?:\.(\d{1,4}))?s?$/su.exec(text);
  if (match === null) return null;
  const [, fill, align, zero, width, precision] = match;
  const columns = Number(width ?? 0);
  if (columns > MAX_WIDTH) return null;
  return {
    fill: fill ?? (zero === undefined ? ' ' : '0'),
    align: align === '>' || align === '^' ? align : '<',
    width: columns,
    precision: precision === undefined ? null : Number(precision),
  };
}

/** Fills in the variables. Unknown ones are an error. */
export function formatTemplate(template: FormatTemplate, variables: ReadonlyMap<string, string>): Formatted {
  if (!template.ok) return template;
  let text = '';
  for (const part of template.parts) {
    if (part.kind === 'text') {
      text += part.text;
      continue;
    }
    const value = lookUp(part.name, variables);
    if (value === undefined) return { ok: false, error: `unknown variable {${part.name}}` };
    text += applySpec(value, part.spec);
  }
  return { ok: true, text };
}

/** Parses and fills in, in one go. */
export function pythonFormat(template: string, variables: ReadonlyMap<string, string>): Formatted {
  return formatTemplate(parseFormat(template), variables);
}

const MAX_TRUNCATION = 20;

/** `display5` is the first five code points of the variable that is registered as `display`, if it may be cut. */
function lookUp(name: string, variables: ReadonlyMap<string, string>): string | undefined {
  const whole = variables.get(name);
  if (whole !== undefined) return whole;
  const match = /^([a-z]+)([1-9]\d?)$/.exec(name);
  const [, base, digits] = match ?? [];
  if (base === undefined || digits === undefined || !TRUNCATABLE.has(base)) return undefined;
  const count = Number(digits);
  const value = variables.get(base);
  return value === undefined || count > MAX_TRUNCATION ? undefined : firstPoints(value, count);
}

/** The variables that have forms cut to 1..20 code points. */
const TRUNCATABLE: ReadonlySet<string> = new Set(['display', 'long', 'mesh']);

/** The first `count` code points. */
export function firstPoints(text: string, count: number): string {
  let end = 0;
  for (let taken = 0; taken < count && end < text.length; taken += 1) {
    end += (text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1;
  }
  return text.slice(0, end);
}

function applySpec(value: string, spec: FormatSpec): string {
  const text = spec.precision === null ? value : firstPoints(value, spec.precision);
  const missing = spec.width - [...text].length;
  if (missing <= 0) return text;
  const left = spec.align === '>' ? missing : spec.align === '^' ? Math.floor(missing / 2) : 0;
  return spec.fill.repeat(left) + text + spec.fill.repeat(missing - left);
}
