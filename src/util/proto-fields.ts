/** A field of a protobuf message, undecoded: the number of a varint or fixed32, or the bytes of a length-delimited one. */
export type ProtoField = number | Uint8Array;

/**
 * The fields of a protobuf message by number, the last of each; for the few small messages that are read outside the
 * codec (encoding: protobuf.dev, "Encoding"). Null when the bytes are no message. Groups and 64-bit values are skipped.
 */
export function readProtoFields(bytes: Uint8Array): ReadonlyMap<number, ProtoField> | null {
  const fields = new Map<number, ProtoField>();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const varint = (): number | null => {
    let value = 0;
    for (let shift = 0; shift < 70 && at < bytes.length; shift += 7) {
      const byte = bytes[at] ?? 0;
      at += 1;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    return null;
  };
  while (at < bytes.length) {
    const tag = varint();
    if (tag === null) return null;
    const field = Math.floor(tag / 8);
    const wire = tag % 8;
    if (wire === 0) {
      const value = varint();
      if (value === null) return null;
      fields.set(field, value);
    } else if (wire === 5 && at + 4 <= bytes.length) {
      fields.set(field, view.getInt32(at, true));
      at += 4;
    } else if (wire === 1 && at + 8 <= bytes.length) {
      at += 8;
    } else if (wire === 2) {
      const length = varint();
      if (length === null || at + length > bytes.length) return null;
      fields.set(field, bytes.subarray(at, at + length));
      at += length;
    } else return null;
  }
  return fields;
}
