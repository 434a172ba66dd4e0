import { type DescField, type DescMessage, fromBinary, type MessageShape, ScalarType } from '@bufbuild/protobuf';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';

const REPLACEMENT = 0x3f;

/**
 * A message, or null when the bytes are not one. Strings with broken UTF-8 are mended with `?`: firmware cuts names
 * at a byte count, through the middle of a character, and the strict reader would refuse the whole message.
 */
export function parseMessage<Desc extends DescMessage>(schema: Desc, bytes: Uint8Array): MessageShape<Desc> | null {
  try {
    return fromBinary(schema, bytes);
  } catch {
    // Broken wire format or broken text: the second try tells which.
  }
  try {
    return fromBinary(schema, withMendedStrings(schema, bytes));
  } catch {
    return null; // No protobuf of this type: the caller counts and skips it.
  }
}

/** The name of an enum value, or its number as text when this schema does not know it. */
export function enumName(names: Readonly<Record<number, string>>, value: number): string {
  return names[value] ?? String(value);
}

function withMendedStrings(schema: DescMessage, bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  mendStrings(schema, copy);
  return copy;
}

/** Replaces invalid UTF-8 in place; lengths stay, so the wire format does too. */
function mendStrings(schema: DescMessage, bytes: Uint8Array): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    if (wireType !== WireType.LengthDelimited) {
      reader.skip(wireType, number);
      continue;
    }
    const value = reader.bytes();
    const field = schema.fields.find((candidate) => candidate.number === number);
    if (field === undefined) continue;
    const nested = messageOf(field);
    if (nested !== null) mendStrings(nested, value);
    else if (isText(field)) mendText(value);
  }
}

function messageOf(field: DescField): DescMessage | null {
  return field.fieldKind === 'message' || (field.fieldKind === 'list' && field.listKind === 'message')
    ? field.message
    : null;
}

function isText(field: DescField): boolean {
  const isScalar = field.fieldKind === 'scalar' || (field.fieldKind === 'list' && field.listKind === 'scalar');
  return isScalar && field.scalar === ScalarType.STRING;
}

function mendText(text: Uint8Array): void {
  const strict = new TextDecoder('utf-8', { fatal: true });
  let at = 0;
  while (at < text.length) {
    const length = characterBytes(text[at] ?? 0);
    try {
      strict.decode(text.subarray(at, at + length));
      at += length;
    } catch {
      text[at] = REPLACEMENT; // Not a character here: one mark a byte.
      at += 1;
    }
  }
}

function characterBytes(lead: number): number {
  if (lead >= 0xf0) return 4;
  if (lead >= 0xe0) return 3;
  return lead >= 0xc0 ? 2 : 1;
}
