/** A key as IndexedDB stores it: https://www.w3.org/TR/IndexedDB/#key-construct */
export type StoredKey = number | string | Date | ArrayBuffer | readonly StoredKey[];

const NUMBER = 0x10;
const DATE = 0x20;
const STRING = 0x30;
const BINARY = 0x40;
const ARRAY = 0x50;
/** Ends a string, a binary or an array; sorts before everything that could follow. */
const END = 0x00;
/** In strings and binaries the bytes 0 and 1 are written as two: this one and the byte plus one. */
const ESCAPE = 0x01;

/**
 * Bytes of a key: equal keys give equal bytes, and comparing the bytes gives the order of the keys, so that SQLite
 * returns records in IndexedDB order and tells keys apart exactly as IndexedDB does.
 */
export function encodeKey(key: StoredKey): Buffer {
  if (typeof key === 'string' && isPlain(key)) {
    const bytes = Buffer.alloc(key.length + 2);
    bytes[0] = STRING;
    bytes.write(key, 1, 'latin1');
    return bytes;
  }
  const out: number[] = [];
  append(out, key);
  return Buffer.from(out);
}

function isPlain(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit <= ESCAPE || unit > 0x7f) return false;
  }
  return true;
}

function append(out: number[], key: StoredKey): void {
  if (typeof key === 'number') appendNumber(out, NUMBER, key);
  else if (typeof key === 'string') appendString(out, key);
  else if (key instanceof Date) appendNumber(out, DATE, key.getTime());
  else if (Array.isArray(key)) {
    out.push(ARRAY);
    for (const part of key) append(out, part);
    out.push(END);
  } else if (key instanceof ArrayBuffer) {
    out.push(BINARY);
    for (const byte of new Uint8Array(key)) appendByte(out, byte);
    out.push(END);
  } else throw new TypeError('not an IndexedDB key');
}

function appendNumber(out: number[], tag: number, value: number): void {
  const bytes = Buffer.alloc(8);
  // -0 and 0 are the same key.
  bytes.writeDoubleBE(value === 0 ? 0 : value);
  const negative = (bytes[0] ?? 0) >= 0x80;
  out.push(tag);
  for (const [at, byte] of bytes.entries()) out.push(negative ? byte ^ 0xff : at === 0 ? byte ^ 0x80 : byte);
}

function appendByte(out: number[], byte: number): void {
  if (byte <= ESCAPE) out.push(ESCAPE, byte + 1);
  else out.push(byte);
}

/** UTF-16 units in the manner of UTF-8, each by itself: keeps lone surrogates and the order of IndexedDB strings. */
function appendString(out: number[], text: string): void {
  out.push(STRING);
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit < 0x80) appendByte(out, unit);
    else if (unit < 0x800) out.push(0xc0 | (unit >> 6), 0x80 | (unit & 0x3f));
    else out.push(0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f));
  }
  out.push(END);
}

interface Cursor {
  readonly bytes: Buffer;
  at: number;
}

/** The key behind `encodeKey`. @throws RangeError when the bytes are no key. */
export function decodeKey(bytes: Buffer): StoredKey {
  const cursor: Cursor = { bytes, at: 0 };
  const key = read(cursor);
  assertEnd(cursor);
  return key;
}

/** Two keys, one encoded after the other. @throws RangeError when the bytes are not that. */
export function decodeKeyPair(bytes: Buffer): readonly [StoredKey, StoredKey] {
  const cursor: Cursor = { bytes, at: 0 };
  const pair = [read(cursor), read(cursor)] as const;
  assertEnd(cursor);
  return pair;
}

function assertEnd({ bytes, at }: Cursor): void {
  if (at !== bytes.length) throw new RangeError('bytes after the end of a key');
}

function read(cursor: Cursor): StoredKey {
  const tag = nextByte(cursor);
  if (tag === NUMBER) return readNumber(cursor);
  if (tag === DATE) return new Date(readNumber(cursor));
  if (tag === STRING) return readString(cursor);
  if (tag === BINARY) return Uint8Array.from(readEscaped(cursor)).buffer;
  if (tag !== ARRAY) throw new RangeError(`unknown key tag ${tag}`);
  const parts: StoredKey[] = [];
  while (cursor.bytes[cursor.at] !== END) parts.push(read(cursor));
  cursor.at += 1;
  return parts;
}

function nextByte(cursor: Cursor): number {
  const byte = cursor.bytes[cursor.at];
  if (byte === undefined) throw new RangeError('a key is cut off');
  cursor.at += 1;
  return byte;
}

function readNumber(cursor: Cursor): number {
  const bytes = Buffer.alloc(8);
  for (let at = 0; at < 8; at += 1) bytes[at] = nextByte(cursor);
  const negative = (bytes[0] ?? 0) < 0x80;
  if (negative) for (const [at, byte] of bytes.entries()) bytes[at] = byte ^ 0xff;
  else bytes[0] = (bytes[0] ?? 0) ^ 0x80;
  return bytes.readDoubleBE();
}

function readEscaped(cursor: Cursor): number[] {
  const out: number[] = [];
  for (let byte = nextByte(cursor); byte !== END; byte = nextByte(cursor)) {
    out.push(byte === ESCAPE ? nextByte(cursor) - 1 : byte);
  }
  return out;
}

function readString(cursor: Cursor): string {
  const end = cursor.bytes.indexOf(END, cursor.at);
  if (end < 0) throw new RangeError('a key is cut off');
  const text = cursor.bytes.toString('latin1', cursor.at, end);
  if (isPlain(text)) {
    cursor.at = end + 1;
    return text;
  }
  const bytes = readEscaped(cursor);
  const units: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at] ?? 0;
    const size = first < 0x80 ? 1 : first < 0xe0 ? 2 : 3;
    let unit = size === 1 ? first : size === 2 ? first & 0x1f : first & 0x0f;
    for (let more = 1; more < size; more += 1) unit = (unit << 6) | ((bytes[at + more] ?? 0) & 0x3f);
    units.push(String.fromCharCode(unit));
    at += size;
  }
  return units.join('');
}
