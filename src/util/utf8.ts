const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true });

export function utf8Bytes(text: string): number {
  return encoder.encode(text).length;
}

export function utf8Encode(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Invalid sequences become U+FFFD; never throws. */
export function utf8Decode(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** The user-perceived characters of a text: an emoji with its modifiers is one, so it is never torn apart. */
export function graphemes(text: string): string[] {
  return Array.from(new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(text), (part) => part.segment);
}

/** The longest head of `text` of whole graphemes that fits `maxBytes` of UTF-8. */
export function headOfBytes(text: string, maxBytes: number): string {
  if (utf8Bytes(text) <= maxBytes) return text;
  let head = '';
  let bytes = 0;
  for (const grapheme of graphemes(text)) {
    bytes += utf8Bytes(grapheme);
    if (bytes > maxBytes) break;
    head += grapheme;
  }
  return head;
}
