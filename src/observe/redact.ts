import { isSecretName, SECRET_NAMES } from '../util/secret-names.ts';

const MASK = '***';

/** What gives itself away by its form. All of them run in linear time. */
const PATTERNS: readonly (readonly [RegExp, string])[] = [
  // Authorization: Bearer abc
  [/\b(Bearer|Basic)(\s+)[A-Za-z0-9._~+/=-]{6,}/gi, `$1$2${MASK}`],
  // ?access_token=abc, &password=abc, token=abc
  [new RegExp(`([?&;\\s,"']|^)(${SECRET_NAMES})=[^&\\s"',;]+`, 'gi'), `$1$2=${MASK}`],
  // "password":"abc", whole
  [new RegExp(`(["'])(${SECRET_NAMES})\\1(\\s*:\\s*)(["'])(?:[^"'\\\\]|\\\\.)*`, 'gi'), `$1$2$1$3$4${MASK}`],
  // the same inside another string, with its quotes escaped once or more
  [new RegExp(`(\\\\{1,16}")(${SECRET_NAMES})\\1(\\s*:\\s*)\\1[^"\\\\]*`, 'gi'), `$1$2$1$3$1${MASK}`],
  // https://user:password@host
  [/\b([a-z][a-z0-9+.-]{1,15}:\/\/)[^\s/@:"']{0,256}:[^\s/@"']{1,256}@/gi, `$1${MASK}@`],
  // tokens of Synapse, of the Matrix Authentication Service, and recovery keys
  [/\b(syt|mat|mct|mcr|syr)_[A-Za-z0-9_-]{8,}/g, `$1_${MASK}`],
  [/\bEs[A-Za-z0-9]{2}(?: [A-Za-z0-9]{4}){11}\b/g, MASK],
];

/** Shorter values are not worth hiding and would blot out half of the log. */
const MIN_SECRET_LENGTH = 4;

/**
 * Knows the secrets of this process and takes them out of any text. One per daemon, shared by every log sink.
 * Invariant: what has been added never leaves through `redact`, nor its JSON or URL form.
 */
export class Redactor {
  #secrets: readonly string[] = [];

  /** Registers a secret, as soon as it is known. */
  add(secret: string): void {
    if (secret.length < MIN_SECRET_LENGTH) return;
    const json = JSON.stringify(secret).slice(1, -1);
    const forms = [secret, json, JSON.stringify(json).slice(1, -1), encode(secret)];
    // The longest first: one secret may be part of another.
    this.#secrets = [...new Set([...this.#secrets, ...forms])].sort((a, b) => b.length - a.length);
  }

  /** The text without secrets. */
  redact(text: string): string {
    let clean = text;
    for (const secret of this.#secrets) if (clean.includes(secret)) clean = clean.replaceAll(secret, MASK);
    for (const [pattern, replacement] of PATTERNS) clean = clean.replace(pattern, replacement);
    return clean;
  }
}

function encode(secret: string): string {
  try {
    return encodeURIComponent(secret);
  } catch {
    return secret; // half a surrogate pair has no URL form
  }
}

const MAX_DEPTH = 6;
const MAX_ITEMS = 100;

/** A log field as JSON can carry it: errors unfolded, bytes as their length, secrets masked by name, cycles cut. */
export function safeField(value: unknown, depth = 0): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'function' || typeof value === 'symbol') return String(typeof value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth > MAX_DEPTH) return '…';
  if (value instanceof Error) return errorFields(value, depth);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (ArrayBuffer.isView(value)) return `<${value.byteLength} bytes>`;
  if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map((item) => safeField(item, depth + 1));
  if (value instanceof Map) return safeEntries([...value].slice(0, MAX_ITEMS), depth);
  if (value instanceof Set) return [...value].slice(0, MAX_ITEMS).map((item) => safeField(item, depth + 1));
  return safeEntries(Object.entries(value).slice(0, MAX_ITEMS), depth);
}

function safeEntries(entries: readonly (readonly [unknown, unknown])[], depth: number): Record<string, unknown> {
  const safe: Record<string, unknown> = {};
  for (const [key, value] of entries) {
    const name = String(key);
    const hidden = isSecretName(name) && value !== null && value !== undefined && value !== '';
    safe[name] = hidden ? MASK : safeField(value, depth + 1);
  }
  return safe;
}

function errorFields(error: Error, depth: number): Record<string, unknown> {
  const code = 'code' in error ? { code: safeField(error.code, depth + 1) } : {};
  const cause = error.cause === undefined ? {} : { cause: safeField(error.cause, depth + 1) };
  return { type: error.name, message: error.message, ...code, stack: error.stack, ...cause };
}
