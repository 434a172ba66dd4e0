import { types } from 'node:util';
import { Deserializer, Serializer } from 'node:v8';

/**
 * Bytes of a value in V8's structured clone format: it covers what IndexedDB must keep (Map, Set, Date, BigInt, RegExp,
 * errors, array buffers and their views, cycles, holes, undefined), and V8 promises to read its older versions.
 * The plain Serializer and not `v8.serialize`: that one writes views by its own rule, and a view read back would
 * drag along, as its `buffer`, everything that was stored with it.
 * @throws DOMException DataCloneError for what cannot leave memory (functions, Blob, CryptoKey, shared memory)
 */
export function encodeValue(value: unknown): Buffer {
  assertPlain(value, new Set());
  const serializer = new Serializer();
  serializer.writeHeader();
  try {
    serializer.writeValue(value);
  } catch (error) {
    throw new DOMException(error instanceof Error ? error.message : 'value cannot be stored', 'DataCloneError');
  }
  return serializer.releaseBuffer();
}

/** A fresh copy of the value behind `encodeValue`. @throws Error when the bytes are damaged or from a newer V8. */
export function decodeValue(bytes: Buffer): unknown {
  const deserializer = new Deserializer(bytes);
  deserializer.readHeader();
  return deserializer.readValue();
}

/**
 * Node's own cloneable objects (Blob, CryptoKey, DOMException, ...) look like empty objects to the serializer: it would lose
 * them without a word.
 */
function assertPlain(value: unknown, seen: Set<unknown>): void {
  if (typeof value !== 'object' || value === null || seen.has(value)) return;
  seen.add(value);
  if (types.isMap(value)) {
    for (const [key, item] of value) {
      assertPlain(key, seen);
      assertPlain(item, seen);
    }
  } else if (types.isSet(value)) {
    for (const item of value) assertPlain(item, seen);
  } else if (Array.isArray(value) || isRecord(value)) {
    for (const item of Object.values(value)) assertPlain(item, seen);
  } else if (!isWholeInBytes(value)) {
    throw new DOMException(`a ${value.constructor?.name ?? 'host object'} cannot be stored`, 'DataCloneError');
  }
}

/** An object literal, of whatever realm: its prototype is the end of the chain. */
function isRecord(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function isWholeInBytes(value: object): boolean {
  return (
    types.isDate(value) ||
    types.isRegExp(value) ||
    types.isArrayBuffer(value) ||
    types.isArrayBufferView(value) ||
    types.isBoxedPrimitive(value) ||
    types.isNativeError(value)
  );
}
