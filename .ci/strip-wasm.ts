const HEADER_BYTES = 8;
const CUSTOM = 0;

/**
 * A WebAssembly module without its custom sections: names of functions, which are a third of the crypto's file and which
 * V8 would keep in memory, for nothing but the stack traces of panics (a panic says its own line).
 */
export function stripWasm(bytes: Uint8Array): Buffer<ArrayBuffer> {
  const kept = [bytes.subarray(0, HEADER_BYTES)];
  for (let at = HEADER_BYTES; at < bytes.length; ) {
    const length = readNumber(bytes, at + 1);
    const end = length.end + length.value;
    if (bytes[at] !== CUSTOM) kept.push(bytes.subarray(at, end));
    at = end;
  }
  return Buffer.concat(kept);
}

/** In LEB128: seven bits a byte, the lowest first, the eighth says that more follow. */
function readNumber(bytes: Uint8Array, start: number): { readonly value: number; readonly end: number } {
  let value = 0;
  for (let at = start; ; at += 1) {
    const byte = bytes[at] ?? 0;
    value += (byte & 0x7f) * 2 ** (7 * (at - start));
    if (byte < 0x80) return { value, end: at + 1 };
  }
}
