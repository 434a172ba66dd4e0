/**
 * What we need of a TrueType font: which characters it has, and how wide a text is, so that labels can be placed
 * without overlap and never show the empty box of a missing glyph. Tables: OpenType specification, cmap and hmtx.
 */

export interface Font {
  has(codePoint: number): boolean;
  /** Pixels. */
  width(text: string, sizePx: number): number;
}

interface Segment {
  readonly first: number;
  readonly last: number;
  glyph(codePoint: number): number;
}

/** Reads cmap formats 4 and 12. @throws RangeError for bytes that are not such a font */
export function readFont(bytes: Uint8Array): Font {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tables = readTables(view);
  const unitsPerEm = view.getUint16(offsetOf(tables, 'head') + 18);
  const metricCount = view.getUint16(offsetOf(tables, 'hhea') + 34);
  const hmtx = offsetOf(tables, 'hmtx');
  const segments = readCmap(view, offsetOf(tables, 'cmap'));
  const glyphOf = (codePoint: number): number =>
    segments.find(({ first, last }) => codePoint >= first && codePoint <= last)?.glyph(codePoint) ?? 0;
  const advance = (glyph: number): number => view.getUint16(hmtx + 4 * Math.min(glyph, metricCount - 1));
  return {
    has: (codePoint) => glyphOf(codePoint) !== 0,
    width(text, sizePx) {
      let units = 0;
      for (const char of text) units += advance(glyphOf(char.codePointAt(0) ?? 0));
      return (units * sizePx) / unitsPerEm;
    },
  };
}

function readTables(view: DataView): ReadonlyMap<string, number> {
  const tables = new Map<string, number>();
  for (let index = 0; index < view.getUint16(4); index += 1) {
    const at = 12 + 16 * index;
    const tag = String.fromCharCode(...[0, 1, 2, 3].map((byte) => view.getUint8(at + byte)));
    tables.set(tag, view.getUint32(at + 8));
  }
  return tables;
}

function offsetOf(tables: ReadonlyMap<string, number>, tag: string): number {
  const offset = tables.get(tag);
  if (offset === undefined) throw new RangeError(`the font has no table ${tag}`);
  return offset;
}

function readCmap(view: DataView, cmap: number): Segment[] {
  const offsets: number[] = [];
  for (let index = 0; index < view.getUint16(cmap + 2); index += 1) {
    const platform = view.getUint16(cmap + 4 + 8 * index);
    if (platform === 0 || platform === 3) offsets.push(cmap + view.getUint32(cmap + 8 + 8 * index));
  }
  const wide = offsets.find((offset) => view.getUint16(offset) === 12);
  if (wide !== undefined) return readFormat12(view, wide);
  const narrow = offsets.find((offset) => view.getUint16(offset) === 4);
  if (narrow === undefined) throw new RangeError('the font has no character map we can read');
  return readFormat4(view, narrow);
}

function readFormat12(view: DataView, at: number): Segment[] {
  return Array.from({ length: view.getUint32(at + 12) }, (_, index) => {
    const group = at + 16 + 12 * index;
    const first = view.getUint32(group);
    const start = view.getUint32(group + 8);
    return { first, last: view.getUint32(group + 4), glyph: (codePoint: number) => start + codePoint - first };
  });
}

function readFormat4(view: DataView, at: number): Segment[] {
  const twice = view.getUint16(at + 6);
  return Array.from({ length: twice / 2 }, (_, index) => {
    const last = view.getUint16(at + 14 + 2 * index);
    const first = view.getUint16(at + 16 + twice + 2 * index);
    const delta = view.getUint16(at + 16 + 2 * twice + 2 * index);
    const rangeAt = at + 16 + 3 * twice + 2 * index;
    const range = view.getUint16(rangeAt);
    const glyph = (codePoint: number): number => {
      if (range === 0) return (codePoint + delta) & 0xffff;
      const raw = view.getUint16(rangeAt + range + 2 * (codePoint - first));
      return raw === 0 ? 0 : (raw + delta) & 0xffff;
    };
    return { first, last, glyph };
  });
}
